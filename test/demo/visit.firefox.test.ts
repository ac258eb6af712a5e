// The built site in a stock Firefox, as a visitor sees it: answers, stops, stores, recovers.
import type { Page } from "puppeteer-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type OpenFirefox, openFirefox } from "../browser/firefox.ts";
import { losableDevices, noteRestoring, RESTORED, type ServedSite, serveSite } from "./site.ts";

const STORY = "Tell me a story about a cat named Tom.";

let firefox: OpenFirefox;
let site: ServedSite;
let page: Page;
beforeAll(async () => {
  site = await serveSite({ adapter: "webgpu", preludes: [losableDevices, countNudges] });
  firefox = await openFirefox();
  page = await firefox.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(site.url);
});
afterAll(async () => {
  await firefox?.close();
  await site?.close();
});
afterEach(() => expect(firefox.complaints()).toEqual([]));

const click = (name: string) => page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
const ready = () => page.waitForSelector('.dot[data-state="ready"]');
const answer = () => page.$$eval("markdown-text", (all) => all.at(-1)?.textContent ?? "");
const facts = () => page.$$eval("article footer", (all) => all.at(-1)?.textContent ?? "");
// By attributes: a search of the accessibility tree at every change of a growing answer takes most of a core.
const ended = () => page.waitForSelector('button[aria-label="Regenerate"]');
const writing = async () => {
  await page.waitForSelector('button[aria-label="Stop"]');
  await expect.poll(answer, { timeout: 60_000 }).toMatch(/\w/);
};
const load = async (format: string) => {
  await click("Look");
  await page.locator(`label ::-p-text(${format})`).click();
  await click("Load");
};
/** Asks the engine's worker, and waits for its reply. */
const askWorker = (name: string, message: string) =>
  page.evaluate(
    (name, message) =>
      new Promise<unknown>((resolve) => {
        const channel = new BroadcastChannel(name);
        channel.onmessage = ({ data }) => resolve(data);
        channel.postMessage(message);
      }),
    name,
    message,
  );
const nudges = () => askWorker("nudges", "count");

test("a first visit answers; Stop ends the answer and keeps its text", async () => {
  await click(STORY);
  await writing();
  await click("Stop");
  await ended();
  expect(await facts()).toContain("stopped");
  expect(await answer()).toMatch(/\w/);
});

test("waits for the GPU are nudged, and nothing is submitted when the page rests", async () => {
  const before = await nudges();
  expect(before).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await nudges()).toBe(before);
});

test("a GPU that is lost in mid-answer is replaced, and the answer continues to the same end", async () => {
  await page.evaluate(() => {
    localStorage.clear();
    localStorage.setItem("sirocco.settings", '{"seed":7,"maxTokens":256}');
  });
  await page.reload();
  await click(STORY);
  await ended();
  const undisturbed = await answer();
  await page.evaluate(noteRestoring);
  // From within the page: the answer may have ended before the test knows that it has begun.
  await page.evaluate(() => {
    const observer = new MutationObserver(() => {
      if (!/\w/.test(document.querySelector(".live markdown-text")?.textContent ?? "")) return;
      observer.disconnect();
      new BroadcastChannel("gpu").postMessage("reset");
    });
    observer.observe(document.body, { childList: true, characterData: true, subtree: true });
  });
  await click("Regenerate");
  await page.waitForSelector(RESTORED);
  await ended();
  expect(await answer()).toBe(undisturbed);
});

test("a model from an address is stored: the next visit fetches no weights, and has the conversation", async () => {
  const weights = () => site.asked().filter((path) => path.endsWith(".safetensors"));
  await page.goto(`${site.url}#models`);
  await page.locator("#model-name").fill(`${site.weights}tiny-mistral`);
  await load("q8");
  await page.locator("::-p-text(tiny-mistral)").wait();
  await ready();
  expect(weights()).not.toEqual([]);
  await page.reload();
  await ready();
  expect(weights()).toEqual([]);
  await page.goto(`${site.url}#`);
  await page.locator(`nav ::-p-text(${STORY})`).click();
  expect(await facts()).toContain("Tiny Tales");
  await click("Regenerate");
  await writing();
});

/** In the worker: counts empty submits. */
function countNudges(): void {
  let count = 0;
  const { submit } = GPUQueue.prototype;
  GPUQueue.prototype.submit = function (commands) {
    const list = [...commands];
    if (list.length === 0) count++;
    return submit.call(this, list);
  };
  const channel = new BroadcastChannel("nudges");
  channel.onmessage = () => channel.postMessage(count);
}
