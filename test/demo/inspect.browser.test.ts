// The Inspect panel in Chromium, alone on its page, with the tiny model: every section shows what the model
// computes.
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { source as axeSource } from "axe-core";
import type { Locator, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { assembleWat } from "../../scripts/wat-plugin.mjs";
import { openChromium, serveFolder } from "../browser/chromium.ts";

/** Folder for screenshots, to be viewed by people; without it none are taken. */
const SHOTS = process.env["SIROCCO_SHOTS"];
const TOKENS = 24;
/** The policy of `demo/vite.config.ts`: scripts may set styles, attributes may not. */
const POLICY = "style-src 'self'; script-src 'self'";

let folder: string;
let chromium: Awaited<ReturnType<typeof openChromium>>;
let site: Awaited<ReturnType<typeof serveFolder>>;
let page: Page;
const problems: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sirocco-inspect-"));
  await build({
    configFile: false,
    plugins: [assembleWat()],
    worker: { format: "es", plugins: () => [assembleWat()] },
    logLevel: "warn",
    root: "demo/inspect",
    publicDir: false,
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "es2023",
      minify: false,
      reportCompressedSize: false,
    },
  });
  await symlink(resolve("weights"), join(folder, "weights"));
  site = await serveFolder(folder, (_, response) => {
    response.setHeader("content-security-policy", POLICY);
    return false;
  });
  chromium = await openChromium();
  page = await chromium.context.newPage();
  page.on("console", (message) => {
    // Optional files of a checkpoint are requested too.
    if (message.type() === "error" && !message.text().includes("404")) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(`${site.url}?adapter=webgpu`);
  await page.getByText("a token, ").waitFor({ timeout: 60_000 });
  await page.getByLabel("Tokens", { exact: true }).fill(String(TOKENS));
  await page.getByRole("button", { name: "Go on" }).click();
  await page.locator("#words tbody tr").first().waitFor({ timeout: 60_000 });
});

afterAll(async () => {
  await chromium?.close();
  await site?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const section = (name: string): Locator => page.getByRole("region", { name, exact: true });
const values = (of: Locator): Promise<string[]> => of.locator("tbody .value").allInnerTexts();
const kilobytes = (text: string): number => Number.parseFloat(text) * (text.endsWith("MB") ? 1000 : 1);
const numbers = (texts: readonly string[]): number[] => texts.map((text) => Number.parseFloat(text));

test("every section has numbers of this model", async () => {
  const facts = await section("Speed").locator("dd").allInnerTexts();
  expect(Number.parseFloat(facts[0] ?? "")).toBeGreaterThan(0);
  expect(facts[1]).toMatch(/^[\d.]+ (µs|ms|s)$/);
  expect(facts.slice(2)).toEqual(["5 tokens", `${TOKENS} tokens`, "0 tokens"]);

  expect(await section("GPU time by kernel").locator("tbody th").allInnerTexts()).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^attention.* × 6$/),
      expect.stringMatching(/^sample × 1$/),
    ]),
  );
  for (const value of await values(section("GPU time by kernel"))) expect(value).toMatch(/^[\d.]+ (µs|ms)$/);

  expect(await section("Memory").innerText()).toMatch(/Weights bf16\s+10\.6 MB/);
  // 6 layers, 8 query heads on 2 key/value heads: a quarter of what a key/value head each would take, and
  // twice MQA.
  const sharing = section("Sharing keys and values");
  const [mha, gqa, mqa] = (await values(sharing)).map(kilobytes);
  expect([mha, gqa, mqa]).toEqual([3180, 796, 398]);
  expect(await sharing.locator(".marked th").innerText()).toContain("GQA, this model");
});

test("the ring holds prompt and answer", async () => {
  const ring = section("Ring cache");
  await expect
    .poll(() => ring.locator("p").innerText())
    .toContain(`${5 + TOKENS} tokens in 259 slots, ${5 + TOKENS} visible`);
  expect(await ring.locator(".ring .newest").count()).toBe(1);
  expect(await ring.locator(".ring .visible").count()).toBe(5 + TOKENS - 1);
});

test("another layer and another head have other weights", async () => {
  const attention = section("Attention");
  const seen: string[] = [];
  for (const [layer, head] of [
    ["5", "all"],
    ["5", "0"],
    ["5", "7"],
    ["0", "7"],
  ] as const) {
    await attention.getByLabel("Layer").selectOption(layer);
    await attention.getByLabel("Head", { exact: true }).selectOption(head);
    await expect.poll(async () => seen.includes((await values(attention)).join())).toBe(false);
    const weights = await values(attention);
    expect(numbers(weights).reduce((a, b) => a + b)).toBeLessThanOrEqual(100.1);
    seen.push(weights.join());
  }
  expect(await attention.locator("caption").innerText()).toBe(
    `Most attended of ${5 + TOKENS - 1} visible tokens, head 7`,
  );
  expect(await attention.locator(".seen span").count()).toBe(5 + TOKENS - 1);
  const drawn = await attention.locator("sirocco-attention-plot canvas").evaluate((canvas) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const pixels =
      (canvas as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
    return new Set(new Uint32Array((pixels as Uint8ClampedArray).buffer)).size;
  });
  expect(drawn).toBeGreaterThan(10);
});

test("a clicked word shows its alternatives", async () => {
  const words = section("Behind a word");
  const before = await values(words);
  await words.getByRole("button").nth(0).click();
  await expect.poll(async () => (await values(words)).join()).not.toBe(before.join());
  expect(await words.getByRole("button").nth(0).getAttribute("aria-pressed")).toBe("true");
  const candidates = numbers(await values(words));
  expect(candidates.length).toBe(8);
  expect(candidates).toEqual([...candidates].sort((a, b) => b - a));
  expect(candidates.reduce((a, b) => a + b)).toBeLessThanOrEqual(100.1);
  // Greedy: the answer's token is the likeliest.
  expect(await words.locator(".marked th").innerText()).toContain("chosen");
  expect(await words.locator("tbody tr").first().getAttribute("class")).toBe("marked");
  await expect
    .poll(() => section("Attention").locator("caption").innerText())
    .toContain("of 5 visible tokens");
});

test.each(["light", "dark"] as const)(
  "%s, wide and on a phone: axe finds nothing, nothing overflows",
  async (scheme) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.locator("#head").selectOption(scheme === "light" ? "all" : "6");
    await section("Behind a word").getByRole("button").nth(20).click();
    await expect.poll(() => section("Attention").locator("caption").innerText()).toContain("of 25 visible");
    for (const [name, width] of [
      ["wide", 1280],
      ["phone", 375],
    ] as const) {
      await page.setViewportSize({ width, height: 800 });
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
      );
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      if (SHOTS)
        await page.screenshot({ path: join(SHOTS, `inspect-${name}-${scheme}.png`), fullPage: true });
    }
    // The page's policy blocks inline scripts; an evaluated one bypasses it.
    await page.evaluate(axeSource);
    const violations = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: {
          run(): Promise<{
            violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
          }>;
        };
      };
      return (await axe.run()).violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join("; ")}`,
      );
    });
    expect(violations).toEqual([]);
  },
);

test("no error reached the console", () => expect(problems).toEqual([]));
