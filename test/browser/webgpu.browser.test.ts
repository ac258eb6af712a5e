// Chromium has a WebGPU adapter, which every other test in this folder needs.
import { afterAll, beforeAll, expect, test } from "vitest";
import { openChromium, serveFolder } from "./chromium.ts";

let chromium: Awaited<ReturnType<typeof openChromium>>;
let site: Awaited<ReturnType<typeof serveFolder>>;
beforeAll(async () => {
  chromium = await openChromium();
  site = await serveFolder("test/browser");
});
afterAll(async () => {
  await chromium?.close();
  await site?.close();
});

test("there is an adapter", async () => {
  const page = await chromium.context.newPage();
  await page.goto(`${site.url}blank.html`);
  const architecture = await page.evaluate(
    async () => (await navigator.gpu.requestAdapter())?.info.architecture,
  );
  expect(architecture).toBe("swiftshader");
});
