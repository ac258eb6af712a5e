// The built site, used like a visitor: from the first visit to a reload.
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

let site: Site;
let page: Page;
beforeAll(async () => {
  site = await openSite({ adapter: "webgpu" });
  page = await site.open();
});
afterAll(() => site?.close());
afterEach(() => expect(site.complaints()).toEqual([]));

const answers = () => page.getByRole("article", { name: "Answer" });
const questions = () => page.getByRole("article", { name: "You" });
const facts = () => answers().last().locator("footer");
const regenerate = () => page.getByRole("button", { name: "Regenerate" });
const ended = () => regenerate().waitFor();

/** Waits for the next button "Regenerate", as a short answer may be over before "Stop" is looked for. */
async function regenerated(): Promise<void> {
  await regenerate().evaluate((button) => button.setAttribute("data-old", ""));
  await regenerate().click();
  await regenerate().and(page.locator(":not([data-old])")).waitFor();
}
const send = async (text: string) => {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
};

test("a first visit gives an answer without questions, downloads or requests to another host", async () => {
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(new URL(".", site.url).href)) elsewhere.push(request.url());
  });
  await page.getByRole("button", { name: "Tell me a story about a cat named Tom." }).click();
  await answers().locator("markdown-text").filter({ hasText: /\w/ }).waitFor();
  expect(await answers().textContent()).toMatch(/\w+/);
  expect(elsewhere).toEqual([]);
});

test("Stop ends the answer and keeps its text", async () => {
  await page.getByRole("button", { name: "Stop" }).click();
  await ended();
  expect(await facts().textContent()).toContain("stopped");
  expect(await answers().locator("markdown-text").textContent()).toMatch(/\w/);
});

test("Regenerate replaces the answer", async () => {
  const seed = async () => /seed (\d+)/.exec((await facts().textContent()) ?? "")?.[1];
  const before = await seed();
  await set("Most tokens", "12");
  await page.getByRole("button", { name: "Regenerate" }).click();
  await expect.poll(() => facts().textContent()).toContain("length limit");
  expect(await seed()).not.toBe(before);
  expect([await questions().count(), await answers().count()]).toEqual([1, 1]);
});

test("the same seed gives the same answer", async () => {
  await set("Seed", "7");
  const texts = [];
  for (let i = 0; i < 2; i++) {
    await regenerated();
    expect(await facts().textContent()).toContain("seed 7 ");
    texts.push(await answers().locator("markdown-text").textContent());
  }
  expect(texts[0]).toBe(texts[1]);
});

test("a system prompt reaches the model", async () => {
  const answer = async () => {
    await regenerated();
    return answers().locator("markdown-text").textContent();
  };
  const without = await answer();
  await set("System prompt", "Speak of the sea.");
  const told = await answer();
  await set("System prompt", "");
  expect(told).not.toBe(without);
  expect(await answer()).toBe(without);
  const guard = async (on: boolean) => {
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Safe prompt").setChecked(on);
    await page.getByRole("button", { name: "Done" }).click();
  };
  await guard(true);
  expect(await answer()).not.toBe(without);
  await guard(false);
});

test("Copy puts a message, or an answer, on the clipboard as it was written", async () => {
  await site.context.grantPermissions(["clipboard-read", "clipboard-write"], {
    origin: new URL(site.url).origin,
  });
  const copied = async (of: Locator) => {
    await page.evaluate(() => navigator.clipboard.writeText(""));
    await of.getByRole("button", { name: "Copy" }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).not.toBe("");
    return page.evaluate(() => navigator.clipboard.readText());
  };
  expect(await copied(questions().first())).toBe("Tell me a story about a cat named Tom.");
  const [kept] = await page.evaluate(() =>
    Object.entries(localStorage).flatMap(([name, value]) =>
      name.startsWith("sirocco.conversation.") ? [JSON.parse(value).turns.at(-1).content] : [],
    ),
  );
  expect(await copied(answers().last())).toBe(kept);
});

test("an edited message is answered again, and later messages are removed", async () => {
  await send("Tell me another one.");
  await ended();
  expect([await questions().count(), await answers().count()]).toEqual([2, 2]);
  await page.getByRole("button", { name: "Edit" }).first().click();
  await page.getByLabel("Edit your message").fill("Tell me a story about a bird.");
  await page.getByRole("button", { name: "Resend" }).click();
  await ended();
  expect(await questions().allInnerTexts()).toEqual([expect.stringContaining("a bird")]);
  expect(await answers().count()).toBe(1);
});

test("Escape stops an answer, and its text is announced to screen readers", async () => {
  await set("Most tokens", "512");
  await send("Tell me a story about a red ball.");
  await page.getByRole("button", { name: "Stop" }).waitFor();
  await answers().nth(1).locator("markdown-text").filter({ hasText: /\w/ }).waitFor();
  await page.getByLabel("Message", { exact: true }).press("Escape");
  await ended();
  // Each sentence is announced as a line, without the space between sentences.
  const bare = (text: string | null) => (text ?? "").replace(/\s/g, "");
  const said = bare(await answers().last().locator("markdown-text").textContent());
  expect(bare(await page.getByRole("log").textContent())).toContain(said.slice(-12));
});

test("conversations survive a reload, and can be deleted", async () => {
  const before = await answers().locator("markdown-text").allTextContents();
  await page.getByRole("button", { name: "New conversation" }).click();
  expect(await answers().count()).toBe(0);
  await page.reload();
  await page
    .getByRole("navigation")
    .getByRole("button", { name: /^Tell me a story about a bird/ })
    .click();
  await expect.poll(() => answers().locator("markdown-text").allTextContents()).toEqual(before);
  await page.getByRole("button", { name: /^Delete/ }).click();
  expect(await answers().count()).toBe(0);
  await page.reload();
  expect(await page.getByRole("navigation").getByRole("listitem").count()).toBe(0);
});

test("the settings survive a reload, and can be reset to the defaults", async () => {
  const written = {
    "System prompt": "Speak of the sea.",
    Temperature: "0.35",
    "Top-p": "0.8",
    "Top-k": "40",
    "Min-p": "0.05",
    "Repetition penalty": "1.15",
    "Most tokens": "24",
    Seed: "4294967295",
  };
  for (const [label, value] of Object.entries(written)) await set(label, value);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("Temperature").fill("9");
  await page.getByLabel("Top-p").focus();
  await page.getByRole("alert").getByText("A number from 0 to 3.").waitFor();
  expect(await page.getByLabel("Temperature").inputValue()).toBe("9");
  await page.reload();
  await page.getByRole("button", { name: "Settings" }).click();
  const shown = async () => {
    const values = Object.keys(written).map(async (label) => [
      label,
      await page.getByLabel(label).inputValue(),
    ]);
    return Object.fromEntries(await Promise.all(values));
  };
  expect(await shown()).toEqual(written);
  await page.getByRole("button", { name: "Defaults" }).click();
  expect(await shown()).toEqual({
    "System prompt": "Speak of the sea.",
    Temperature: "0.7",
    "Top-p": "0.95",
    "Top-k": "0",
    "Min-p": "0",
    "Repetition penalty": "1",
    "Most tokens": "512",
    Seed: "",
  });
  await page.getByRole("button", { name: "Done" }).click();
});

test("answers are held to what the settings say", async () => {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("Form of answers").selectOption({ label: "One of some texts" });
  await page.getByLabel("The texts, one a line").fill("a red ball\na blue ball");
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "New conversation" }).click();
  await send("Which ball?");
  await ended();
  expect((await answers().locator("markdown-text").textContent())?.trim()).toMatch(/^a (red|blue) ball$/);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("Form of answers").selectOption({ label: "Any text" });
  await page.getByRole("button", { name: "Done" }).click();
});

async function set(label: string, value: string): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel(label).fill(value);
  await page.getByRole("button", { name: "Done" }).click();
}
