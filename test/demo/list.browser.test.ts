// The built site: what one does with conversations, shortcuts, two tabs, a full store, a full context.
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

let site: Site;
let page: Page;
const COUNT = 500;
beforeAll(async () => {
  site = await openSite();
  page = await site.open("", (page) =>
    page.addInitScript((count) => {
      if (localStorage.length > 0) return;
      localStorage.setItem("sirocco.settings", JSON.stringify({ maxTokens: 24 }));
      for (let i = 0; i < count; i++) {
        const turns = [
          { role: "user", content: i % 2 ? `Question ${i}` : "The same question" },
          { role: "assistant", content: `Answer number-${i}. ${"word ".repeat(300)}` },
        ];
        localStorage.setItem(
          `sirocco.conversation.c${i}`,
          JSON.stringify({ id: `c${i}`, updated: i, turns }),
        );
      }
    }, COUNT),
  );
});
afterAll(() => site?.close());
afterEach(() => expect(site.complaints()).toEqual([]));

const list = () => page.getByRole("navigation", { name: "Conversations" });
const entries = () => list().getByRole("listitem");
const search = (text: string) => page.getByLabel("Search conversations").fill(text);

test("a search in 500 conversations shows what matches, at once", async () => {
  expect(await entries().count()).toBe(COUNT);
  const names = await list()
    .locator("button.title")
    .evaluateAll((all) => all.map((each) => each.textContent?.trim()));
  expect(new Set(names).size).toBe(COUNT);
  const took = await page.evaluate(async () => {
    const field = document.querySelector("#search") as HTMLInputElement;
    const started = performance.now();
    field.value = "NUMBER-41. answer";
    field.dispatchEvent(new Event("input"));
    await (document.querySelector("sirocco-app") as unknown as { updateComplete: Promise<void> })
      .updateComplete;
    return performance.now() - started;
  });
  expect(took).toBeLessThan(1000);
  expect(await entries().allInnerTexts()).toEqual([expect.stringContaining("Question 41")]);
  await search("nothing has this");
  await list().getByText("No conversation has all these words.").waitFor();
});

test("a title is renamed in place, and Escape leaves it", async () => {
  await search("number-41.");
  await page.getByRole("button", { name: "Rename “Question 41”" }).click();
  await page.keyboard.type("Forty-one");
  await page.keyboard.press("Enter");
  await list().getByRole("button", { name: "Forty-one", exact: true }).waitFor();
  await page.getByRole("button", { name: "Rename “Forty-one”" }).click();
  await page.keyboard.type("Other");
  await page.keyboard.press("Escape");
  await list().getByRole("button", { name: "Forty-one", exact: true }).waitFor();
});

test("a deleted conversation comes back with Undo", async () => {
  await list().getByRole("button", { name: "Forty-one", exact: true }).click();
  await page.getByRole("button", { name: "Delete “Forty-one”" }).click();
  expect(await page.evaluate(() => localStorage.getItem("sirocco.conversation.c41"))).toBeNull();
  await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("undo");
  await page.keyboard.press("Enter");
  await page.getByRole("article", { name: "Answer" }).getByText("number-41").waitFor();
  expect(new URL(page.url()).hash).toBe("#c41");
});

test("an exported file is imported again after everything was deleted", async () => {
  const saved = async (name: string) => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name }).click(),
    ]);
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
  };
  await page.getByRole("button", { name: "Export, import" }).click();
  const markdown = await saved("Save as Markdown");
  expect(markdown.name).toBe("forty-one.md");
  expect(markdown.text).toMatch(/^# Forty-one\n\n## You\n\nQuestion 41\n/);
  const { text } = await saved(`Save ${COUNT} as JSON`);
  const file = (text: string) => ({
    name: "c.json",
    mimeType: "application/json",
    buffer: Buffer.from(text),
  });
  await page.getByLabel("Import", { exact: true }).setInputFiles(file("<html>"));
  await page.getByRole("alert").getByText("The file is not JSON.").waitFor();
  await page.getByLabel("Import", { exact: true }).setInputFiles(file(text));
  await page.getByText(`Imported: 0. Already here: ${COUNT}.`).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Delete “Forty-one”" }).click();
  await page.getByRole("button", { name: "Export, import" }).click();
  await page.getByLabel("Import", { exact: true }).setInputFiles(file(text));
  await page.getByText(`Imported: 1. Already here: ${COUNT - 1}.`).waitFor();
  await page.keyboard.press("Escape");
});

test("two tabs that continue the same conversation keep both", async () => {
  await search("");
  await list().getByRole("button", { name: "Forty-one", exact: true }).click();
  // A page is not told of its own changes: as in the moment before it hears of another tab's.
  await page.evaluate(() => {
    const name = "sirocco.conversation.c41";
    const kept = JSON.parse(localStorage.getItem(name) ?? "");
    kept.turns.push({ role: "user", content: "From another tab" });
    localStorage.setItem(name, JSON.stringify({ ...kept, updated: kept.updated + 1 }));
  });
  await page.getByLabel("Message", { exact: true }).fill("From this tab");
  await page.keyboard.press("Enter");
  await list().getByRole("alert").getByText("Another tab continued the same conversation.").waitFor();
  const kept = await page.evaluate(() =>
    Object.values(localStorage).filter((each) => /From (this|another) tab/.test(each)),
  );
  expect(kept).toHaveLength(2);
  expect(new URL(page.url()).hash).not.toBe("#c41");
  await page.getByRole("button", { name: "Regenerate" }).waitFor();
});

test("a full store is told, and the conversation stays on the page", async () => {
  await page.getByRole("button", { name: "New conversation" }).click();
  await page.evaluate(() => {
    for (let size = 1 << 22; size >= 1; size >>= 1)
      try {
        for (;;) localStorage.setItem(`fill-${size}-${Math.random()}`, "x".repeat(size));
      } catch {}
  });
  await page.getByLabel("Message", { exact: true }).fill("One too many");
  await page.keyboard.press("Enter");
  await list().getByRole("alert").getByText("This browser has no room").waitFor();
  await page.getByRole("button", { name: "Regenerate" }).waitFor();
  // Another tab deletes one: what is not saved stays.
  const other = await site.open();
  await other.evaluate(() => localStorage.removeItem("sirocco.conversation.c3"));
  await expect
    .poll(() => entries().filter({ hasText: "Question 3" }).filter({ hasNotText: /\d\d/ }).count())
    .toBe(0);
  await list().getByRole("button", { name: "One too many" }).first().waitFor();
  await other.close();
  await page.evaluate(() => {
    for (const key of Object.keys(localStorage)) if (key.startsWith("fill-")) localStorage.removeItem(key);
  });
});

test("shortcuts work while typing, and ? shows them where nobody types", async () => {
  await page.reload();
  await page.getByLabel("Message", { exact: true }).fill("Why?");
  await page.keyboard.press("Shift+?");
  expect(await page.locator("dialog[open]").count()).toBe(0);
  await page.keyboard.press("Control+/");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).getByText("Alt Shift K").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Alt+Shift+L");
  expect(await list().isVisible()).toBe(false);
  await page.keyboard.press("Alt+Shift+K");
  await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("search");
  await page.keyboard.press("Alt+Shift+M");
  await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("message");
  await page.locator("#scroller").focus();
  await page.keyboard.press("Shift+?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("banner").getByRole("button", { name: "Keyboard shortcuts" }).click();
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await page.keyboard.press("Escape");
});

test("a full context leaves the oldest messages out, and says so", async () => {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("Context length").fill("9");
  await page.getByLabel("Most tokens").focus();
  await page.getByText(/A whole number from 64 to/).waitFor();
  expect(await page.getByLabel("Context length").getAttribute("aria-invalid")).toBe("true");
  await page.getByLabel("Context length").fill("96");
  await page.getByLabel("Most tokens").focus();
  await page.getByRole("button", { name: "Load it again" }).click();
  await page.getByRole("button", { name: "New conversation" }).click();
  const answers = page.getByRole("article", { name: "Answer" });
  for (let i = 1; i <= 3; i++) {
    await page.getByLabel("Message", { exact: true }).fill(`Tell me a story about a cat and ${i} dogs.`);
    await page.keyboard.press("Enter");
    await expect.poll(() => answers.count()).toBe(i);
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
  }
  await page
    .getByText(/of 96 tokens/)
    .first()
    .waitFor();
  expect(await page.locator(".left-out").first().textContent()).toMatch(
    /does not see the first\s+4 messages/,
  );
  expect(await page.getByText("too long").count()).toBe(0);
});
