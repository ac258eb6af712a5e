// The page hides what a model thinks, in a stored conversation and in the answer that runs.
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

let site: Site;
let page: Page;
beforeAll(async () => {
  site = await openSite();
  await site.context.addInitScript(() => {
    const thought = { text: "Hm, <b>well</b>.", seconds: 3 };
    const turns = [
      { role: "user", content: "Hello" },
      { role: "assistant", content: "Hi.", thought },
    ];
    localStorage.setItem("sirocco.conversation.t", JSON.stringify({ id: "t", updated: 1, turns }));
  });
  // The embedded model never closes the tag that its template opens.
  const config = JSON.parse(readFileSync("weights/tiny-mistral/tokenizer_config.json", "utf8"));
  config.chat_template += "{% if add_generation_prompt %}<think>{% else %}</think>{% endif %}";
  const body = Buffer.from(JSON.stringify(config));
  await site.context.route("**/tokenizer_config*.json", (route) => {
    const [, from = "0", to] = /^bytes=(\d+)-(\d*)$/.exec(route.request().headers()["range"] ?? "") ?? [];
    const part = body.subarray(Number(from), to ? Number(to) + 1 : undefined);
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${body.length}`;
    return route.fulfill({ status: 206, headers: { "content-range": range }, body: part });
  });
  page = await site.open("#t");
});
afterAll(() => site?.close());
afterEach(() => expect(site.complaints()).toEqual([]));

const last = () => page.getByRole("article", { name: "Answer" }).last();

test("a stored thought is closed, and opens as text", async () => {
  const thought = last().locator("details");
  expect(await thought.locator("summary").textContent()).toBe("Thought for 3 s");
  expect(await thought.getAttribute("open")).toBeNull();
  expect(await thought.locator("p").isVisible()).toBe(false);
  await thought.locator("summary").click();
  expect(await thought.locator("p").innerText()).toBe("Hm, <b>well</b>.");
  expect(await last().locator("markdown-text").textContent()).toContain("Hi.");
});

test("while the model thinks the page says so; what it thinks is kept", async () => {
  await page.evaluate(noteThinking);
  await page.getByLabel("Message", { exact: true }).fill("Tell me a story.");
  await page.keyboard.press("Enter");
  await page.locator("body[data-thinking=closed]").waitFor();
  await last()
    .locator("details summary")
    .filter({ hasText: /^Thought for/ })
    .waitFor();
  expect(await last().locator("details p").textContent()).toMatch(/\w/);
  expect((await last().locator("markdown-text").textContent())?.trim()).toBe("");
});

/** The page says so while the model thinks, which may be too short to be looked for. */
function noteThinking(): void {
  new MutationObserver(() => {
    const thought = [...document.querySelectorAll<HTMLDetailsElement>("details.thought")].at(-1);
    if (/^Thinking for \d+ (ms|s)$/.test(thought?.querySelector("summary")?.textContent?.trim() ?? ""))
      document.body.dataset["thinking"] ??= thought?.open ? "open" : "closed";
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}
