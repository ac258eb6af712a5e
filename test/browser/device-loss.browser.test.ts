// A device lost in the middle of an answer, in Chromium: the text equals that of an undisturbed run.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EnginePage, openEnginePage } from "./engine-page.ts";

let site: EnginePage;
beforeAll(async () => {
  site = await openEnginePage();
});
afterAll(() => site?.close());

test("an answer continues with the next token", async () => {
  const page = await site.open();
  const { undisturbed, disturbed, devices } = await page.evaluate(async () => {
    const devices: GPUDevice[] = [];
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await requestDevice.apply(this, args);
      devices.push(device);
      return device;
    };
    const model = await sirocco.loadModel(undefined, { weights: "q8" });
    const answer = async (loseAt: number) => {
      const ids: number[] = [];
      const options = { maxTokens: 20, temperature: 0.8, seed: 7, repetitionPenalty: 1.2, ignoreEos: true };
      for await (const chunk of model.generate("The little dog", options)) {
        ids.push(...chunk.ids);
        if (ids.length === loseAt) devices.at(-1)?.destroy();
      }
      return ids;
    };
    const undisturbed = await answer(Infinity);
    const disturbed = await answer(6);
    model.dispose();
    return { undisturbed, disturbed, devices: devices.length };
  });
  expect(undisturbed.length).toBe(20);
  expect(disturbed).toEqual(undisturbed);
  expect(devices).toBe(2);
});
