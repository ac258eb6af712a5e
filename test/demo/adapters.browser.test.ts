// LoRA adapters in the page: added from files, a folder and the Hub, chosen within a conversation, removed.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomU32 } from "../random.ts";
import { openSite, type Site, sendRange } from "./site.ts";

/** Of the tiny model. */
const [L, D, KV, RANK] = [6, 256, 64, 2];
const CONFIG = { peft_type: "LORA", r: RANK, lora_alpha: 16, target_modules: ["q_proj", "v_proj"] };

/** A safetensors file with A and B of q_proj and v_proj of each layer. @param width of the model */
function tensorsFile(seed: number, width = D): Buffer {
  const shapes = Array.from({ length: L }, (_, l) =>
    Object.entries({ q_proj: width, v_proj: KV }).flatMap(([module, N]) => {
      const name = `base_model.model.model.layers.${l}.self_attn.${module}`;
      return [
        { name: `${name}.lora_A.weight`, shape: [RANK, width] },
        { name: `${name}.lora_B.weight`, shape: [N, RANK] },
      ] as const;
    }),
  ).flat();
  const header: Record<string, unknown> = {};
  const data: Buffer[] = [];
  for (const { name, shape } of shapes) {
    const length = shape[0] * shape[1];
    const start = data.reduce((sum, each) => sum + each.length, 0);
    header[name] = { dtype: "F32", shape, data_offsets: [start, start + 4 * length] };
    const next = randomU32(seed + start);
    data.push(Buffer.from(Float32Array.from({ length }, () => next() / 2 ** 31 - 1).buffer));
  }
  const json = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([size, json, ...data]);
}

let site: Site;
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "sirocco-adapters-"));
  for (const [name, width] of [
    ["pirate", D],
    ["other-model", 2 * D],
  ] as const) {
    await mkdir(join(scratch, name));
    await writeFile(join(scratch, name, "adapter_config.json"), JSON.stringify(CONFIG));
    await writeFile(join(scratch, name, "adapter_model.safetensors"), tensorsFile(1, width));
  }
  site = await openSite();
  await site.context.addInitScript({ content: axe.source });
  await site.context.addInitScript(() => {
    localStorage.setItem("sirocco.settings", JSON.stringify({ maxTokens: 12, temperature: 0, seed: 1 }));
  });
});
afterAll(async () => {
  await site?.close();
  await rm(scratch, { recursive: true });
});

const openSettings = (page: Page) => page.getByRole("button", { name: "Settings", exact: true }).click();
const done = (page: Page) => page.getByRole("button", { name: "Done" }).click();
const add = async (page: Page) => {
  await openSettings(page);
  await page.getByText("Add an adapter").click();
};
const choose = async (page: Page, name: string) => {
  await openSettings(page);
  await page.getByRole("radio", { name, exact: true }).check();
  await done(page);
};
const radios = (page: Page) => page.locator('[name="adapter"] + span').allTextContents();
const problem = (page: Page) => page.locator("#adapter-problem").textContent();
const facts = (page: Page) => page.locator("article.assistant:not(.live) .facts").allTextContents();

/** When the latest of the stored conversations that end with an answer was changed. */
const answered = (page: Page) =>
  page.evaluate(() => {
    const stored = Object.entries(localStorage).filter(([key]) => key.startsWith("sirocco.conversation."));
    const ended = stored.map(([, json]) => JSON.parse(json)).filter(({ turns }) => turns.at(-1)?.facts);
    return Math.max(0, ...ended.map(({ updated }) => updated));
  });

/** Waits until the answer is stored and shown: it may be over before it is looked for. @returns it */
async function answerOf(page: Page, start: () => Promise<void>): Promise<string> {
  const before = await answered(page);
  await start();
  await expect.poll(() => answered(page), { timeout: 60_000 }).toBeGreaterThan(before);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
  return (await page.locator("article.assistant:not(.live) markdown-text").last().textContent()) ?? "";
}
const send = (page: Page, text: string) =>
  answerOf(page, async () => {
    await page.getByLabel("Message", { exact: true }).fill(text);
    await page.keyboard.press("Enter");
  });
const regenerate = (page: Page) =>
  answerOf(page, () => page.getByRole("button", { name: "Regenerate" }).last().click());

const violations = (page: Page) =>
  page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });

test("a folder is added, used from the next answer on, switched within a conversation, removed", async () => {
  const page = await site.open();
  const own = await send(page, "Tell me a story about a cat.");
  await add(page);
  await page.locator("#adapter-folder").setInputFiles(join(scratch, "pirate"));
  await expect.poll(() => radios(page)).toEqual(["None", "pirate"]);
  expect(await page.getByRole("radio", { name: "pirate" }).isChecked()).toBe(true);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    expect(await violations(page), colorScheme).toEqual([]);
  }
  await done(page);
  expect(await page.locator(".model-name").textContent()).toBe("Tiny Tales 5M + pirate");
  const adapted = await regenerate(page);
  expect(adapted).not.toBe(own);
  expect((await facts(page)).at(-1)).toMatch(/Tiny Tales 5M · adapter pirate$/);

  // At temperature 0 each word is the likeliest, with the adapter.
  await page.getByRole("button", { name: "Inspect" }).click();
  await page.locator("#words tbody tr.marked:first-child").waitFor();
  await page.getByText("Of answers with a LoRA adapter no attention is shown.").waitFor();
  await page.getByRole("button", { name: "Inspect" }).click();

  await send(page, "And then?");
  await choose(page, "None");
  await send(page, "And the dog?");
  const told = (await facts(page)).map((each) => /adapter .*/.exec(each)?.[0]);
  expect(told).toEqual(["adapter pirate", "adapter pirate", undefined]);

  await page.getByRole("button", { name: "New conversation" }).click();
  expect(await send(page, "Tell me a story about a cat.")).toBe(own);
  await choose(page, "pirate");
  expect(await regenerate(page)).toBe(adapted);

  await openSettings(page);
  await page.getByRole("button", { name: "Remove pirate" }).click();
  await expect.poll(() => radios(page)).toEqual([]);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("add-adapter");
  await done(page);
  expect(await regenerate(page)).toBe(own);
  // What was said of the answers is kept.
  await page
    .getByRole("button", { name: /^Tell me a story about a cat/ })
    .last()
    .click();
  await page.reload();
  expect(await facts(page)).toHaveLength(3);
  expect((await facts(page))[0]).toMatch(/adapter pirate$/);
  expect(site.complaints()).toEqual([]);
  await page.close();
});

test("two files, twice: each has a name of its own; another model has none of them", async () => {
  const page = await site.open();
  await page.locator('.dot[data-state="ready"]').waitFor();
  await add(page);
  const files = ["adapter_config.json", "adapter_model.safetensors"].map((name) =>
    join(scratch, "pirate", name),
  );
  await page.locator("#adapter-files").setInputFiles(files);
  await expect.poll(() => radios(page)).toEqual(["None", "LoRA"]);
  await page.locator("#adapter-files").setInputFiles(files);
  await expect.poll(() => radios(page)).toEqual(["None", "LoRA", "LoRA (2)"]);
  await page.locator("#contextLength").fill("256");
  await page.locator("#contextLength").blur();
  await page.getByRole("button", { name: "Load it again" }).click();
  await page.locator('.dot[data-state="ready"]').waitFor();
  expect(await radios(page)).toEqual([]);
  expect(await page.locator(".model-name").textContent()).toBe("Tiny Tales 5M");
  await page.close();
});

test("a repository of the Hub is added by its name or page; what goes wrong is told at the field", async () => {
  const page = await site.open();
  await page.route("https://huggingface.co/**", async (route) => {
    const name = /owner\/pirate\/resolve\/[^/]*\/([^?]*)/.exec(route.request().url())?.[1];
    const headers = { "access-control-allow-origin": "*" };
    const file = name && (await readFile(join(scratch, "pirate", name)).catch(() => undefined));
    return file ? sendRange(route, file) : route.fulfill({ status: 404, headers });
  });
  await page.locator('.dot[data-state="ready"]').waitFor();
  await add(page);
  const field = page.locator("#adapter-name");
  const addByName = async (name: string) => {
    await field.fill(name);
    await page.keyboard.press("Enter");
  };
  await addByName("https://huggingface.co/owner/pirate/tree/main");
  await expect.poll(() => radios(page)).toEqual(["None", "owner/pirate"]);
  expect(await field.inputValue()).toBe("");

  await addByName("owner/pirate");
  await expect.poll(() => problem(page)).toMatch(/expected one that no adapter has/);
  expect(await field.inputValue()).toBe("owner/pirate");
  expect(await field.getAttribute("aria-invalid")).toBe("true");
  await addByName("owner/nothing");
  await expect.poll(() => problem(page)).toMatch(/adapter_config\.json/);
  await page.locator("#adapter-folder").setInputFiles(join(scratch, "other-model"));
  await expect.poll(() => problem(page)).toMatch(/lora_A.*expected.*256.*another model/);
  await page.locator("#adapter-folder").setInputFiles("test/browser");
  await expect.poll(() => problem(page)).toMatch(/adapter_config\.json: expected a file/);
  expect(await violations(page)).toEqual([]);
  expect(await radios(page)).toEqual(["None", "owner/pirate"]);

  for (const [width, height] of [
    [390, 844],
    [1280, 800],
  ] as const) {
    await page.setViewportSize({ width, height });
    const wide = () =>
      page.evaluate(() => {
        const dialog = document.querySelector("dialog[open]") as HTMLElement;
        return [document.documentElement.scrollWidth - innerWidth, dialog.scrollWidth - dialog.clientWidth];
      });
    expect(await wide(), `${width}`).toEqual([0, 0]);
  }
  await page.close();
});

test("reading can be cancelled", async () => {
  const page = await site.open();
  await page.route("https://huggingface.co/**", () => {});
  await page.locator('.dot[data-state="ready"]').waitFor();
  await add(page);
  await page.locator("#adapter-name").fill("owner/slow");
  await page.keyboard.press("Enter");
  await page.getByText("Reading owner/slow").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Reading owner/slow").waitFor({ state: "detached" });
  expect(await problem(page)).toBe("");
  await done(page);
  expect(await send(page, "Hello")).toMatch(/\w/);
  await page.close();
});
