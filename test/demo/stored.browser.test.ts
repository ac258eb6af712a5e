// A model from an address: kept on this device, loaded from there, held by one tab at a time, deleted.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

let site: Site;
let page: Page;
let name: string;
beforeAll(async () => {
  site = await openSite({ serviceWorkers: "allow" });
  name = `${site.weights}tiny-mistral`;
  page = await site.open("#models");
});
afterAll(() => site?.close());

const ready = (tab: Page) => tab.locator('.dot[data-state="ready"]').waitFor();
const stored = () => page.locator(".stored li");

test("a typed address is loaded, and listed with its size", async () => {
  await page.getByText("None yet.").waitFor();
  await page.getByLabel(/^A repository/).fill(name);
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByRole("radio", { name: /^q8/ }).check();
  await page.getByRole("button", { name: "Load", exact: true }).click();
  await page.locator(".model-name", { hasText: name }).waitFor();
  await ready(page);
  await page.goto(`${site.url}#models`);
  await stored().waitFor();
  expect(await stored().innerText()).toMatch(/tiny-mistral q8\s+5\.\d+ MB, last used/);
});

test("the next visit starts with it, and fetches no weights", async () => {
  const weights = () => site.asked().filter((path) => path.endsWith(".safetensors"));
  expect(weights()).not.toEqual([]);
  await page.reload();
  await page.locator(".model-name", { hasText: name }).waitFor();
  await ready(page);
  expect(weights()).toEqual([]);
});

test("without a network the next visit starts with it too, and answers", async () => {
  const kept = () =>
    page.evaluate(async () => (await (await caches.open("sirocco-site")).keys()).map(({ url }) => url));
  await expect.poll(kept, { timeout: 20_000 }).toContain(new URL(".", site.url).href);
  site.cut(true);
  try {
    await page.reload();
    await ready(page);
    await page.goto(`${site.url}#`);
    await page.getByLabel("Message", { exact: true }).fill("Tell me a story about a boat.");
    await page.keyboard.press("Enter");
    await page.locator("markdown-text").filter({ hasText: /\w/ }).waitFor();
    await page.keyboard.press("Escape");
    expect(site.asked()).toEqual([]);
  } finally {
    site.cut(false);
  }
});

test("a second tab is notified, and can take it over", async () => {
  const other = await site.open();
  await other.getByRole("alert").getByText("Another tab has this model").waitFor();
  await other.getByRole("button", { name: "Take over here" }).click();
  await ready(other);
  await page.goto(`${site.url}#`);
  await page.getByLabel("Message", { exact: true }).fill("Tell me a story about a hat.");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("Another tab has this model").waitFor();
  await other.close();
});

test("it can be deleted when no tab uses it", async () => {
  await page.goto(`${site.url}#models`);
  page.on("dialog", (dialog) => void dialog.accept());
  await page.getByRole("button", { name: /^Tiny Tales/ }).click();
  await ready(page);
  await page.goto(`${site.url}#models`);
  await page.getByRole("button", { name: `Delete ${name} q8` }).click();
  await page.getByText("None yet.").waitFor();
});
