// A script that knows nothing but Chrome's Prompt API, on the embedded model in a worker.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EnginePage, openEnginePage } from "./engine-page.ts";

/** As a page would have it. */
const SCRIPT = `(async () => {
  const heard = [];
  const before = await LanguageModel.availability({ expectedInputs: [{ type: "text", languages: ["en"] }] });
  const controller = new AbortController();
  const session = await LanguageModel.create({
    initialPrompts: [
      { role: "user", content: "Tell me a story." },
      { role: "assistant", content: "Once upon a time, there was a cat." },
    ],
    signal: controller.signal,
    monitor(m) {
      m.addEventListener("downloadprogress", (e) => heard.push(e.loaded * e.total));
    },
  });
  const initial = session.contextUsage;
  const choice = await session.prompt("Was it a cat?", { responseConstraint: /^(Yes|No)\\.$/ });
  let streamed = "";
  for await (const chunk of session.promptStreaming("And then?", { responseConstraint: /[a-z ]{5,20}\\./ })) streamed += chunk;
  const copy = await session.clone();
  const failures = [];
  const note = (error) => failures.push([error.name, error instanceof DOMException]);
  await copy.prompt([{ role: "user", content: [{ type: "image", value: new Blob() }] }]).catch(note);
  await copy.prompt("word ".repeat(copy.contextWindow)).catch(note);
  copy.destroy();
  await copy.prompt("Hi").catch(note);
  controller.abort();
  await session.prompt("Hi").catch(note);
  const members = Object.getOwnPropertyNames(native.prototype).filter((name) => !(name in session));
  const statics = Object.getOwnPropertyNames(native).filter((name) => !(name in LanguageModel));
  return { before, after: await LanguageModel.availability(), heard, initial, choice, streamed, failures,
    missing: [...members, ...statics], usage: session.contextUsage };
})()`;

let site: EnginePage;
let page: Page;
beforeAll(async () => {
  site = await openEnginePage();
  page = await site.open();
});
afterAll(() => site?.close());

test("a page that is written to Chrome's own runs unchanged, and finds every member that Chromium has", async () => {
  await page.evaluate(() => {
    const LanguageModel = sirocco.createLanguageModel({
      model: (options) => sirocco.loadModelInWorker(undefined, { contextLength: 512, ...options }),
    });
    const native = (globalThis as { LanguageModel?: object }).LanguageModel ?? LanguageModel;
    Object.assign(globalThis, { LanguageModel, native });
  });
  const { initial, usage, heard, ...found } = (await page.evaluate(SCRIPT)) as {
    readonly initial: number;
    readonly usage: number;
    readonly heard: readonly number[];
  };
  expect(found).toMatchObject({
    ...{ before: "downloadable", after: "available" },
    choice: expect.stringMatching(/^(Yes|No)\.$/),
    streamed: expect.stringMatching(/^[a-z ]{5,20}\.$/),
    failures: [
      ["NotSupportedError", true],
      ["QuotaExceededError", true],
      ["InvalidStateError", true],
      ["InvalidStateError", true],
    ],
    missing: [],
  });
  expect(initial).toBeGreaterThan(10);
  expect(usage).toBeGreaterThan(initial);
  expect([heard[0], heard.at(-1)]).toEqual([0, 1]);
  expect(heard.length).toBeGreaterThan(3);
  expect(heard).toEqual([...heard].sort((a, b) => a - b));
});
