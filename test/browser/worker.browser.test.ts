// `loadModelInWorker` in Chromium: the interface of a model, a page that never waits, and Node's golden numbers.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EnginePage, openEnginePage } from "./engine-page.ts";

let site: EnginePage;
beforeAll(async () => {
  site = await openEnginePage();
});
afterAll(() => site?.close());

test("first", async () => {
  const page = await site.open();
  page.on("console", (m) => console.log("console", m.text()));
  page.on("pageerror", (m) => console.log("pageerror", m));
  const t = Date.now();
  const text = await page.evaluate(async () => {
    const model = await sirocco.loadModelInWorker();
    let text = "";
    for await (const chunk of model.generate("Once upon a time", { maxTokens: 16 })) text += chunk.text;
    model.dispose();
    return text;
  });
  console.log(text, Date.now() - t);
  expect(text.length).toBeGreaterThan(16);
});
