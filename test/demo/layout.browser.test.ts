// The page on a phone, on a laptop at 100 % and 200 %, and on a wide screen.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inWorkers, openSite, type Site } from "./site.ts";

let site: Site;
let page: Page;
const ANSWER =
  "```ts\nconst line = f(with_, arguments_, that, go, on, until, the, block, is, wider, than, any, laptop, and_, on, whatever, font, there, is);\n```\n\n|a|b|\n|-|-|\n|1|2|\n\nText.";
beforeAll(async () => {
  site = await openSite({ adapter: "webgpu" });
  await site.context.addInitScript((content) => {
    const facts = { model: "Tiny", reason: "stop", tokens: 9, firstTokenMs: 5, tokensPerSecond: 3, seed: 1 };
    const turns = [
      { role: "user", content: "Show me a long line, in a question that is long as well." },
      { role: "assistant", content, facts },
    ];
    localStorage.setItem("sirocco.conversation.a", JSON.stringify({ id: "a", updated: 2, turns }));
    const text = JSON.stringify({
      text: "a value that is wider than any phone, and than most laptops".repeat(3),
    });
    const call = { id: "c", name: "search_the_flight_database_by_departure_and_day", arguments: text };
    const calling = [
      turns[0],
      { role: "assistant", content: "", toolCalls: [call, { ...call, id: "d" }], facts },
    ];
    localStorage.setItem("sirocco.conversation.c", JSON.stringify({ id: "c", updated: 1, turns: calling }));
    localStorage.setItem("sirocco.settings", JSON.stringify({ toolsOn: true }));
  }, ANSWER);
  page = await site.open("#a");
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.locator('.dot[data-state="ready"]').waitFor();
});
afterAll(() => site?.close());

const button = (name: string | RegExp) => page.getByRole("button", { name });
const shown = (hash: string) => page.goto(`${site.url}${hash}`);

/** What is shown, and how it is opened and closed. */
const STATES: Record<string, readonly [hash: string, open?: string]> = {
  conversation: ["#a"],
  calls: ["#c"],
  welcome: ["#"],
  models: ["#models"],
  settings: ["#a", "Settings"],
  list: ["#a", "Conversations"],
  inspect: ["#a", "Inspect"],
};
const PHONE = [390, 844] as const;
const SIZES = [PHONE, [195, 422], [640, 400], [1280, 800], [1920, 1080]] as const;

test.each(SIZES)(
  "at %i × %i nothing is wider than the screen, and no button is covered",
  async (width, height) => {
    await page.setViewportSize({ width, height });
    for (const [state, [hash, opener]] of Object.entries(STATES)) {
      await shown(hash);
      // On a wide screen the list is always shown.
      if (opener && !(await button(opener).isVisible())) continue;
      if (opener) await button(opener).click();
      const found = await page.evaluate(() => {
        const wide = document.documentElement.scrollWidth - innerWidth;
        const widest = [...document.querySelectorAll("sirocco-app *")]
          .filter((each) => wide > 0 && each.getBoundingClientRect().right > innerWidth + 1)
          .map(({ className }) => String(className));
        const isSeen = (each: Element) =>
          each.checkVisibility({ visibilityProperty: true, opacityProperty: true });
        const covered = [...document.querySelectorAll("button, input, select, textarea")].filter((each) => {
          if (!isSeen(each) || each.closest("details:not([open]), [inert]")) return false;
          // A dialog covers the page.
          if (document.querySelector("dialog[open]") && !each.closest("dialog[open]")) return false;
          each.scrollIntoView({ block: "nearest", inline: "nearest" });
          const { left, top, width, height } = each.getBoundingClientRect();
          const at = document.elementFromPoint(left + width / 2, top + height / 2);
          return !(at && (each.contains(at) || at.contains(each)));
        });
        return { wide, widest, covered: covered.map(({ outerHTML }) => outerHTML.slice(0, 120)) };
      });
      expect({ state, ...found }).toEqual({ state, wide: 0, widest: [], covered: [] });
      if (!opener) continue;
      if (state !== "inspect" || width <= 760) await page.keyboard.press("Escape");
      else await button(opener).click();
    }
  },
);

test("a wide code block scrolls in itself, and the message field is as wide as the text", async () => {
  await page.setViewportSize({ width: 1280, height: 800 });
  await shown("#a");
  const boxes = await page.evaluate(() =>
    ["article.assistant, .turn.assistant", ".composer", "pre"].map((each) => {
      const { left, width } = document.querySelector(each)!.getBoundingClientRect();
      return [Math.round(left), Math.round(width)];
    }),
  );
  expect(boxes[1]).toEqual(boxes[0]);
  expect(boxes[2]?.[1]).toBeLessThanOrEqual(boxes[0]?.[1] ?? 0);
  expect(await page.locator("pre").evaluate((pre) => pre.scrollWidth > pre.clientWidth)).toBe(true);
});

test("on a phone Escape and a tap beside it close the list; Inspect has a way out", async () => {
  await page.setViewportSize({ width: PHONE[0], height: PHONE[1] });
  await shown("#a");
  const list = page.getByRole("navigation", { name: "Conversations" });
  await button("Conversations").click();
  await button("New conversation").waitFor();
  await page.keyboard.press("Escape");
  await list.waitFor({ state: "hidden" });
  expect(await button("Conversations").evaluate((each) => each === document.activeElement)).toBe(true);
  await button("Conversations").click();
  await button("New conversation").waitFor();
  await page.mouse.click(PHONE[0] - 10, 500);
  await list.waitFor({ state: "hidden" });

  const inspect = page.getByRole("complementary", { name: "Inspect" });
  await button("Inspect").click();
  await button("Back to the chat").click();
  await inspect.waitFor({ state: "hidden" });
  await button("Inspect").click();
  await inspect.waitFor();
  await page.keyboard.press("Escape");
  await inspect.waitFor({ state: "hidden" });
});

test.each(["light", "dark"] as const)(
  "the colours change at each click, in a system that is %s",
  async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const seen = [await ground()];
    for (let i = 0; i < 2; i++) {
      await button(/^Use (light|dark) colours$/).click();
      await expect.poll(ground).not.toBe(seen.at(-1));
      seen.push(await ground());
    }
    expect(seen[2]).toBe(seen[0]);
  },
);

test("a GPU that gives no adapter is told about, and a message waits for nothing", async () => {
  const bare = await site.open("", (each) =>
    inWorkers(each, () => {
      GPU.prototype.requestAdapter = async () => null;
    }),
  );
  await bare.getByRole("alert").getByRole("button", { name: "Try again" }).waitFor();
  await bare.getByLabel("Message", { exact: true }).fill("Anybody there?");
  await bare.keyboard.press("Enter");
  await bare.getByText("Anybody there?").first().waitFor();
  await bare.getByRole("button", { name: "Send" }).waitFor();
  await bare.close();
});

test("for fingers every button is 44 px high and wide", async () => {
  await page.setViewportSize({ width: PHONE[0], height: PHONE[1] });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 5 });
  expect(await page.evaluate(() => matchMedia("(pointer: coarse)").matches)).toBe(true);
  for (const [state, [hash, opener]] of Object.entries(STATES)) {
    await shown(hash);
    if (opener) await button(opener).click();
    const found = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - innerWidth,
      small: [...document.querySelectorAll("button, select, summary")]
        .filter((each) => each.checkVisibility({ visibilityProperty: true }))
        .map((each) => ({ each, ...each.getBoundingClientRect().toJSON() }))
        .filter(({ each, height, width }) => height < 44 || (width < 44 && each.matches("button")))
        .map(({ each, height, width }) => `${each.outerHTML.slice(0, 120)} ${width} × ${height}`),
    }));
    expect({ state, ...found }).toEqual({ state, wide: 0, small: [] });
    if (opener) await page.keyboard.press("Escape");
  }
  await devtools.detach();
});

test("the card of a model that loads keeps its height", async () => {
  const slow = await site.open();
  const heights = new Set<number>();
  for (let i = 0; i < 400 && !(await slow.locator('.dot[data-state="ready"]').count()); i++) {
    const height = await slow.evaluate(() => document.querySelector(".loading")?.clientHeight);
    if (height) heights.add(height);
    expect(await slow.locator(".numbers").allTextContents()).not.toContain("0 ms");
  }
  expect(heights.size).toBe(1);
  await slow.close();
});
