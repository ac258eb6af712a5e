// The CPU device in Chromium: threads that share memory, on a page and in the worker of a model, and workers
// that do not start.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EnginePage, openEnginePage } from "./engine-page.ts";

const once = JSON.parse(
  readFileSync(new URL("../golden/tiny-mistral/02_once.json", import.meta.url), "utf8"),
);

let site: EnginePage;
/** Whether the host has the script of the threads. */
let hasThreads = true;
beforeAll(async () => {
  site = await openEnginePage((request, response) => {
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("cross-origin-embedder-policy", "require-corp");
    if (hasThreads || !/cpu-worker/.test(request.url ?? "")) return false;
    response.writeHead(404).end();
    return true;
  });
});
afterAll(() => site?.close());

type Call = "loadModel" | "loadModelInWorker";

/** Sixteen tokens, or the error. */
async function answer(call: Call, threads: number) {
  const page = await site.open();
  try {
    return await page.evaluate(
      async ({ call, threads, text }) => {
        try {
          const model = await sirocco[call](undefined, { adapter: "cpu", threads });
          let story = "";
          for await (const chunk of model.generate(text, { temperature: 0, maxTokens: 16 }))
            story += chunk.text;
          const { name } = model.adapter;
          model.dispose();
          return { name, story };
        } catch (error) {
          return { error: (error as Error).message };
        }
      },
      { call, threads, text: once.text as string },
    );
  } finally {
    await page.close();
  }
}

test.each<[Call, number, string]>([
  ["loadModel", 2, "2 threads"],
  ["loadModelInWorker", 2, "2 threads"],
  ["loadModelInWorker", 0, "1 thread"],
])("%s on %d threads gives the reference's tokens", async (call, threads, named) => {
  const { name, story = "" } = await answer(call, threads);
  expect(name).toBe(`CPU (WebAssembly, ${named})`);
  expect(story.length).toBeGreaterThan(20);
  expect(once.greedy_64_text.startsWith(story), story).toBe(true);
});

test("without the threads' script a worker computes itself, and a page says what is missing", async () => {
  hasThreads = false;
  expect(await answer("loadModelInWorker", 2)).toMatchObject({ name: "CPU (WebAssembly, 1 thread)" });
  const { error } = await answer("loadModel", 2);
  expect(error).toMatch(/^CPU worker: expected it to run, got .+\. Serve cpu-worker\.js beside/);
});
