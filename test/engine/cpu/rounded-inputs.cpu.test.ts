// What it costs that the CPU device rounds the inputs of q4 and q8 to 8 bits.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { qualityText } from "../../../bench/quality-text.ts";
import { openOwnThread } from "../../../engine/cpu/open.ts";
import { loadModel } from "../../../engine/node.ts";
import { exactCpuDevice } from "../../helpers.ts";

const embedded = new URL("../../../weights/tiny-mistral", import.meta.url).pathname;
const golden = (name: string): { ids: number[] } =>
  JSON.parse(readFileSync(new URL(`../../golden/tiny-mistral/${name}.json`, import.meta.url), "utf8"));

test.each(["q4", "q8"] as const)(
  "inputs of 8 bits change the perplexity with %s by less than 0.1 percent",
  async (weights) => {
    /** The mean negative log-likelihood of a token, over texts of 1,700 tokens. */
    const loss = async (device: GPUDevice): Promise<number> => {
      const model = await loadModel(embedded, { device, weights });
      const ids = [golden("text600").ids, golden("13_len_700_gt_5_windows").ids];
      const texts = [...ids, await model.encode(qualityText)];
      let [sum, count] = [0, 0];
      for (const text of texts) {
        const { perplexity } = await model.score(text);
        sum += Math.log(perplexity) * (text.length - 1);
        count += text.length - 1;
      }
      model.dispose();
      return sum / count;
    };
    const change = Math.expm1((await loss(await openOwnThread())) - (await loss(await exactCpuDevice())));
    console.log(`${weights}: perplexity changes by ${(100 * change).toFixed(3)} %`);
    expect(change).not.toBe(0);
    expect(Math.abs(change)).toBeLessThan(1e-3);
  },
  120_000,
);
