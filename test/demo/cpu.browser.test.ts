// The built site where there is no GPU: the CPU answers, and the page says so.
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MISTRAL_7B_BYTES, mistral7bHeader } from "../weights/gguf-of.ts";
import { openSite, type Site } from "./site.ts";

let without: Site;
let fallback: Site;
beforeAll(async () => {
  without = await openSite({ preludes: [noWebGpu] });
  fallback = await openSite({ isolated: true });
});
afterAll(async () => {
  await without?.close();
  await fallback?.close();
});

/** In a page or a worker: a browser without WebGPU. */
function noWebGpu(): void {
  delete (Object.getPrototypeOf(navigator) as { gpu?: unknown }).gpu;
}
const openWithout = (address = "") => without.open(address, (page) => page.addInitScript(noWebGpu));

/** The tiny model's answer to a suggestion. @returns what the page says of the CPU */
async function answered(page: Page): Promise<string> {
  await page.getByRole("button", { name: /cat named Tom/ }).click();
  await page.getByRole("button", { name: "Regenerate" }).waitFor({ timeout: 60_000 });
  expect(await page.locator("markdown-text").last().innerText()).toMatch(/\w+ \w+/);
  return page.locator(".foot .note").innerText();
}

async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env["SIROCCO_SCREENSHOTS"];
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}

test("without WebGPU and on a host without headers, one thread answers", async () => {
  const page = await openWithout();
  expect(await page.evaluate(() => [navigator.gpu, crossOriginIsolated])).toEqual([undefined, false]);
  expect(await answered(page)).toMatch(/^CPU \(WebAssembly, 1 thread\) computes.*WebGPU.*more threads/);
  await screenshot(page, "cpu");
  expect(without.complaints()).toEqual([]);
  await page.close();
});

test("with a software driver alone and on a host that isolates, threads answer", async () => {
  const page = await fallback.open();
  // A machine with more than this test has: threads are half of it.
  const threads = await page.evaluate(() => Math.max(1, Math.floor(navigator.hardwareConcurrency / 2)));
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  const told = await answered(page);
  expect(told).toContain(`CPU (WebAssembly, ${threads} thread${threads > 1 ? "s" : ""}) computes`);
  expect(told).not.toContain("more threads");
  expect(fallback.complaints()).toEqual([]);
  await page.close();
});

test("the pre-flight says that the CPU computes", async () => {
  const page = await openWithout("#models");
  await page.locator("#model-folder").setInputFiles("weights/tiny-mistral");
  const dialog = page.getByRole("dialog", { name: /^Load/ });
  await dialog.getByRole("button", { name: "Load" }).waitFor();
  expect(await dialog.innerText()).toMatch(/Weights in memory[\s\S]*the CPU computes: CPU \(WebAssembly/);
  expect(await dialog.innerText()).not.toContain("slow on the CPU");
  await screenshot(page, "cpu-preflight");
  await page.close();
});

test("the pre-flight warns of a model that is too large for the CPU", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sirocco-cpu-"));
  const path = join(folder, "7b.gguf");
  await writeFile(path, mistral7bHeader(1e6));
  await truncate(path, MISTRAL_7B_BYTES);
  const page = await openWithout("#models");
  await page.locator("#model-file").setInputFiles(path);
  const dialog = page.getByRole("dialog", { name: /^Load/ });
  await dialog.getByText("A model of this size is slow on the CPU").waitFor();
  await screenshot(page, "cpu-preflight-large");
  await page.close();
  await rm(folder, { recursive: true });
});
