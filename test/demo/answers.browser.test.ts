// How the Markdown of an answer looks and behaves: lists, tables, code, maths.
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

const WIDE = `const wide = "${"x".repeat(400)}";`;
const ANSWER = [
  "3. third\n4. fourth",
  "|left|middle|right|\n|:-|:-:|-:|\n|1|2|3|",
  "- [x] done\n- [ ] open",
  `\`\`\`js title\n${WIDE} // <b>no tag</b>\n\`\`\``,
  "```nosuchlanguage\nx = 1\n```",
  "It costs $5 and $6. Inline $\\frac{a}{b}$, and $\\mathbb{R}$:",
  "$$\n\\begin{aligned}a&=b\\\\c&=d\\end{aligned}\n$$",
  "$\\nosuchmacro{x}$ and $\\href{javascript:hacked=1}{x}$ and $\\htmlStyle{position:fixed}{x}$",
  "$\\def\\a{\\a\\a}\\a$",
].join("\n\n");

let site: Site;
let page: Page;
beforeAll(async () => {
  site = await openSite();
  await site.context.addInitScript((content) => {
    const turns = [
      { role: "user", content: "Show me." },
      { role: "assistant", content },
    ];
    localStorage.setItem("sirocco.conversation.a", JSON.stringify({ id: "a", updated: 1, turns }));
  }, ANSWER);
  await site.context.addInitScript({ content: axe.source });
  page = await site.open("#a");
  await page.locator("math").first().waitFor();
});
afterAll(() => site?.close());
afterEach(() => expect(site.complaints()).toEqual([]));

const answer = () => page.locator("markdown-text");

test("lists keep their numbers, columns their sides, tasks their state", async () => {
  expect(await answer().locator("ol").getAttribute("start")).toBe("3");
  const sides = await answer()
    .locator("td")
    .evaluateAll((cells) => cells.map((cell) => getComputedStyle(cell).textAlign));
  expect(sides.slice(1)).toEqual(["center", "right"]);
  expect(await answer().locator("ul li").allTextContents()).toEqual(["☑ done", "☐ open"]);
});

test("code has its language and its colours, and scrolls inside its block", async () => {
  const block = answer().locator(".code").first();
  await block.locator(".hljs-keyword").waitFor();
  expect(await block.locator(".bar span").textContent()).toBe("js");
  expect(await block.locator("pre").textContent()).toBe(`${WIDE} // <b>no tag</b>`);
  expect(await answer().locator(".code").nth(1).locator("pre span").count()).toBe(0);
  const widths = await block.locator("pre").evaluate((pre) => {
    const scroller = document.querySelector("#scroller") as HTMLElement;
    return { inside: pre.scrollWidth - pre.clientWidth, page: scroller.scrollWidth - scroller.clientWidth };
  });
  expect(widths.inside).toBeGreaterThan(500);
  expect(widths.page).toBe(0);
});

test.each(["light", "dark"] as const)("axe finds no violation in the %s colours", async (colorScheme) => {
  await page.emulateMedia({ colorScheme });
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const { violations } = await axe.run("markdown-text");
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
  });
  expect(found).toEqual([]);
});

test("Copy says whether it worked, and then offers itself again", async () => {
  const announced = () => page.getByRole("log").textContent();
  await site.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const copies = page.getByRole("button", { name: "Copy code" });
  await copies.first().click();
  await page.getByRole("button", { name: "Copied", exact: true }).waitFor();
  expect(await announced()).toContain("Copied.");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(WIDE);
  await expect.poll(() => copies.count(), { timeout: 5000 }).toBe(2);
  await page.evaluate(() => {
    navigator.clipboard.writeText = () => Promise.reject(new Error("refused"));
  });
  await page.getByRole("button", { name: "Copy", exact: true }).last().click();
  await page.getByRole("button", { name: "Not copied" }).waitFor();
  expect(await announced()).toContain("did not let the page copy");
});

test("maths is MathML, a price is not, and what cannot be read stays as written", async () => {
  await expect.poll(() => answer().locator("math").count()).toBe(3);
  const text = (await answer().textContent()) ?? "";
  expect(text).toContain("It costs $5 and $6.");
  expect(await answer().locator("math").nth(1).textContent()).toBe("ℝ");
  expect(text).toContain("$\\nosuchmacro{x}$ and $\\href{javascript:hacked=1}{x}$ and $\\htmlStyle{");
  expect(text).toContain("$\\def\\a{\\a\\a}\\a$");
  const sides = await answer()
    .locator("math mtd")
    .evaluateAll((cells) => cells.slice(0, 2).map((cell) => getComputedStyle(cell).textAlign));
  expect(sides).toEqual(["-webkit-right", "-webkit-left"]);
  const attributes = await answer()
    .locator("math *")
    .evaluateAll((all) => [...new Set(all.flatMap((each) => each.getAttributeNames()))]);
  expect(attributes.filter((name) => /^(on|href|style|id|src)|:/.test(name))).toEqual([]);
});
