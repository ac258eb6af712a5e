// The built site in a Chromium without WebGPU: the CPU answers, and the page says so.
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

/** In Chromium's order of options, the last `--disable-features` counts. */
const WITHOUT_WEBGPU = ["--disable-features=WebGPU,WebGPUService"];

let plain: Site;
let isolated: Site;
beforeAll(async () => {
  plain = await openSite({ args: WITHOUT_WEBGPU, adapter: "" });
  isolated = await openSite({ args: WITHOUT_WEBGPU, adapter: "", isolated: true });
});
afterAll(async () => {
  await plain?.close();
  await isolated?.close();
});

test.each([
  { host: "without isolation, on one thread", site: () => plain, computes: /1 thread\) computes.* more threads/ },
  { host: "with isolation, on threads", site: () => isolated, computes: /threads?\) computes.*WebGPU/ },
])("a host $host", async ({ site, computes }) => {
  const { open, complaints } = site();
  const page = await open();
  expect(await page.evaluate(() => [typeof navigator.gpu, crossOriginIsolated])).toEqual([
    "undefined",
    site() === isolated,
  ]);
  await page.getByRole("button", { name: /cat named Tom/ }).click();
  await page.locator("markdown-text").filter({ hasText: /\w+ \w+/ }).waitFor();
  await page.getByRole("button", { name: "Regenerate" }).waitFor();
  expect(await page.getByRole("note").last().innerText()).toMatch(computes);
  if (process.env["SIROCCO_SCREENSHOTS"])
    await page.screenshot({ path: `${process.env["SIROCCO_SCREENSHOTS"]}/cpu-${site() === isolated}.png` });
  expect(complaints()).toEqual([]);
  await page.close();
});

test("the pre-flight says that the CPU computes, and warns of a large model", async () => {
  const page = await plain.open("#models");
  await page.locator("#model-folder").setInputFiles("weights/tiny-mistral");
  const dialog = page.getByRole("dialog", { name: /^Load/ });
  await dialog.getByRole("button", { name: "Load" }).waitFor();
  expect(await dialog.innerText()).toMatch(/Weights in memory[\s\S]*the CPU computes: CPU \(WebAssembly/);
  if (process.env["SIROCCO_SCREENSHOTS"])
    await page.screenshot({ path: `${process.env["SIROCCO_SCREENSHOTS"]}/cpu-preflight.png` });
  await page.close();
});
