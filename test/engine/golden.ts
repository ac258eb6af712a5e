// The embedded model's numbers from the independent reference in test/golden/tiny-mistral.
import { readFileSync } from "node:fs";

export const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../golden/tiny-mistral/${name}.json`, import.meta.url), "utf8"));

export const f32 = (base64: string): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);

/**
 * The text that quality is measured on: on SwiftShader its first third, as all of it takes half a minute.
 */
export function sample(): { ids: number[]; perplexity: number } {
  const { ids, perplexity, logprobs_of_ids_1_to_end } = read("text600");
  if (process.env["SIROCCO_DRIVER"] !== "swiftshader") return { ids, perplexity };
  const length = 200;
  const logProbs: number[] = logprobs_of_ids_1_to_end.slice(0, length - 1);
  const mean = logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length;
  return { ids: ids.slice(0, length), perplexity: Math.exp(-mean) };
}
