// Firefox has a WebGPU adapter on lavapipe, in pages and in workers, which every other test of it needs.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { serveFolder } from "./chromium.ts";
import { type OpenFirefox, openFirefox } from "./firefox.ts";

let firefox: OpenFirefox;
let site: Awaited<ReturnType<typeof serveFolder>>;
beforeAll(async () => {
  firefox = await openFirefox();
  site = await serveFolder("test/browser");
});
afterAll(async () => {
  await firefox?.close();
  await site?.close();
});
afterEach(() => expect(firefox.complaints()).toEqual([]));

test("there is an adapter, in a page and in a worker", async () => {
  const page = await firefox.newPage();
  await page.goto(`${site.url}blank.html`);
  const features = await page.evaluate(async () => {
    const adapter = await navigator.gpu.requestAdapter();
    return [...(adapter?.features ?? [])];
  });
  expect(features).toContain("shader-f16");
  const inWorker = await page.evaluate(async () => {
    const code = "navigator.gpu.requestAdapter().then((adapter) => postMessage(adapter !== null))";
    const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    return new Promise((resolve) => worker.addEventListener("message", ({ data }) => resolve(data)));
  });
  expect(inWorker).toBe(true);
});
