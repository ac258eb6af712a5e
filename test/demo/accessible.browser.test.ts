// axe-core finds no violation on any view, in light and dark.
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MISTRAL_7B_BYTES, mistral7bHeader } from "../weights/gguf-of.ts";
import { openSite, type Site } from "./site.ts";

let site: Site;
let page: Page;
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "sirocco-accessible-"));
  await writeFile(join(scratch, "m.gguf"), mistral7bHeader(1e4));
  await truncate(join(scratch, "m.gguf"), MISTRAL_7B_BYTES);
  site = await openSite();
  // The page's policy blocks injected scripts; this bypasses it.
  await site.context.addInitScript({ content: axe.source });
  await site.context.addInitScript(() => {
    const conversation = {
      id: "a",
      updated: 1,
      turns: [
        { role: "user", content: "Show me everything." },
        {
          role: "assistant",
          content:
            "# One\n\ntext, `code`, [link](https://example.org)\n\n> quoted\n\n```\nlong\n```\n\n|a|b|\n|-|-|\n|1|2|",
          facts: { model: "Tiny", reason: "stop", tokens: 9, firstTokenMs: 5, tokensPerSecond: 3, seed: 1 },
        },
      ],
    };
    localStorage.setItem("sirocco.conversation.a", JSON.stringify(conversation));
  });
  page = await site.open("#a");
});
afterAll(async () => {
  await site?.close();
  await rm(scratch, { recursive: true });
});

const views: Record<string, () => Promise<void>> = {
  welcome: async () => {
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.getByRole("button", { name: /a cat named Tom/ }).waitFor();
  },
  chat: async () => {
    await page.getByRole("button", { name: /^Show me/ }).click();
    await page.getByRole("heading", { name: "One" }).waitFor();
  },
  edit: async () => {
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("button", { name: "Resend" }).waitFor();
  },
  settings: async () => {
    await page.getByRole("button", { name: "Settings" }).click();
  },
  models: async () => {
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /^Model/ }).click();
    await page.getByRole("heading", { name: "Models on this device" }).waitFor();
  },
  preflight: async () => {
    await page.locator("#model-file").setInputFiles(join(scratch, "m.gguf"));
    await page.getByRole("checkbox", { name: /attention window/ }).waitFor();
  },
  refusal: async () => {
    await page.keyboard.press("Escape");
    await page.locator("#model-folder").setInputFiles("test/browser");
    await page.getByRole("button", { name: "Try again" }).waitFor();
  },
};

test.each(Object.keys(views))("%s", async (name) => {
  await views[name]?.();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    expect(await violations(), colorScheme).toEqual([]);
  }
  await page.setViewportSize({ width: 360, height: 700 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  const narrow = await violations();
  await page.setViewportSize({ width: 1200, height: 800 });
  expect(overflow, "wider than a phone").toBeLessThanOrEqual(0);
  expect(narrow, "on a phone").toEqual([]);
});

const violations = () =>
  page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  });
