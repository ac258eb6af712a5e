// Failures are explained with a next step: each is caused at its real source, and its message read like a
// visitor.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  inWorkers,
  losableDevices,
  noteRestoring,
  openSite,
  RESTORED,
  type Site,
  sendRange,
} from "./site.ts";

const TINY = "weights/tiny-mistral";

let site: Site;
const folder = mkdtempSync(join(tmpdir(), "sirocco-trouble-"));
beforeAll(async () => {
  site = await openSite({ adapter: "webgpu" });
});
afterEach(async () => {
  for (const page of site.context.pages()) await page.close();
});
afterAll(async () => {
  await site?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A page whose embedded model never loads: these tests use other models, and their GPU is slow. */
const openModels = (first = async (_: Page): Promise<unknown> => undefined) =>
  site.open("#models", async (page) => {
    await page.route(`${new URL(".", site.url).href}**/*.safetensors`, () => {});
    await first(page);
  });
const alert = (page: Page) => page.getByRole("alert");
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const ready = (page: Page) => page.locator('.dot[data-state="ready"]').waitFor();
const answer = (page: Page) => page.getByRole("article", { name: "Answer" }).locator("markdown-text");
const send = async (page: Page, text: string) => {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
};
/** The details hold the engine's message. */
const details = async (page: Page) => {
  await alert(page).locator("summary").click();
  return alert(page).locator("details p").innerText();
};

test("a lost GPU: the answer continues; lost for good, its text stays, and one button loads again", async () => {
  const page = await site.open("", (page) => inWorkers(page, losableDevices));
  const tell = (state: string) =>
    page.evaluate(
      (state) =>
        new Promise<void>((resolve) => {
          const channel = new BroadcastChannel("gpu");
          channel.onmessage = () => resolve();
          channel.postMessage(state);
        }),
      state,
    );
  await send(page, "Tell me a story about a kite.");
  await answer(page).filter({ hasText: /\w/ }).waitFor();
  const written = await answer(page).innerText();
  await page.evaluate(noteRestoring);
  await tell("reset");
  await page.locator(RESTORED).waitFor();
  expect(await page.getByRole("log").innerText()).toContain("The GPU went away. The model is loaded again");
  const more = async () => (await answer(page).innerText()).slice(written.length);
  await expect.poll(more, { timeout: 60_000 }).toMatch(/\w/);
  expect(await answer(page).innerText()).toContain(written);
  await tell("lost");
  await alert(page).getByRole("heading", { name: "The GPU went away" }).waitFor();
  expect(await alert(page).innerText()).toMatch(/Your conversations are safe: load it again/);
  expect(await details(page)).toMatch(/failed twice/);
  const before = await answer(page).innerText();
  expect(before).toMatch(/\w/);
  await page.getByText("interrupted").waitFor();
  await button(page, "Try again").click();
  await ready(page);
  expect(await alert(page).count()).toBe(0);
  await button(page, "Regenerate").last().click();
  await answer(page).filter({ hasText: /\w/ }).waitFor();
});

test("a GPU out of memory: another format that fits is one click away; so is the fix for a refused system prompt", async () => {
  const refusing =
    "{% for m in messages %}{% if 'pirate' in m['content'] %}{{ raise_exception('no pirates') }}{% endif %}[INST] {{ m['content'] }} [/INST]{% endfor %}";
  const page = await openModels(async (page) => {
    await inWorkers(page, smallMemory, 9e6);
    await page.addInitScript(() => {
      localStorage.setItem("sirocco.settings", JSON.stringify({ system: "You are a pirate." }));
    });
  });
  cpSync(TINY, folder, { recursive: true });
  writeFileSync(join(folder, "tokenizer_config.json"), tokenizerConfig(refusing));
  await page.locator("#model-folder").setInputFiles(folder);
  await page.getByRole("radio", { name: /^bf16/ }).check();
  await button(page, "Load").click();
  await alert(page).getByRole("heading", { name: "The GPU is out of memory" }).waitFor();
  expect(await alert(page).innerText()).toMatch(
    /Close other tabs .* or load the model in a smaller weight format/,
  );
  await button(page, "Choose another format").click();
  await page.getByRole("radio", { name: /^q4/ }).check();
  await button(page, "Load").click();
  await ready(page);
  expect(await alert(page).count()).toBe(0);

  await send(page, "Tell me a story.");
  await alert(page)
    .getByRole("heading", { name: "The model's chat format refuses this conversation" })
    .waitFor();
  expect(await details(page)).toMatch(/no pirates/);
  await button(page, "Clear the system prompt").click();
  await answer(page).filter({ hasText: /\w/ }).waitFor();
  expect(await alert(page).count()).toBe(0);
});

test("a model too large for this GPU is refused before anything is loaded", async () => {
  const page = await openModels((page) =>
    page.addInitScript(() => {
      const get = () => 2048;
      Object.defineProperty(GPUSupportedLimits.prototype, "maxStorageBufferBindingSize", { get });
    }),
  );
  await page.locator("#model-folder").setInputFiles(TINY);
  await alert(page).getByRole("heading", { name: "This GPU cannot run the model in this format" }).waitFor();
  expect(await alert(page).innerText()).toMatch(/smaller model/);
  expect(await details(page)).toMatch(/binds at most 2048 bytes/);
});

test("no space to store a model: the page says how much is missing, and runs it unstored; a base model continues a text", async () => {
  const page = await openModels((page) =>
    page.route(`${site.weights}**/tokenizer_config.json`, (route) =>
      sendRange(route, Buffer.from(tokenizerConfig(undefined))),
    ),
  );
  const devtools = await site.context.newCDPSession(page);
  const { origin } = new URL(site.url);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 2e6 });
  try {
    await page.getByLabel(/^A repository/).fill(`${site.weights}tiny-mistral`);
    await button(page, "Look").click();
    await page.getByRole("radio", { name: /^q8/ }).check();
    await button(page, "Load").click();
    await alert(page).getByRole("heading", { name: "There is no room to store this model" }).waitFor();
    expect(await alert(page).innerText()).toMatch(/It needs [3-5]\.\d+ MB more .* Delete a model/);
    await button(page, "Load without storing it").click();
    await ready(page);
    expect(await alert(page).count()).toBe(0);
  } finally {
    await devtools.send("Storage.overrideQuotaForOrigin", { origin });
  }

  await send(page, "Once upon a time, there was a little");
  await alert(page).getByRole("heading", { name: "This model was not made for chats" }).waitFor();
  await button(page, "Continue as plain text").click();
  await answer(page).filter({ hasText: /\w/ }).waitFor();
  expect(await alert(page).count()).toBe(0);
  await page.keyboard.press("Escape");
  await page.locator(".facts", { hasText: "stopped" }).waitFor();
  // Requested once.
  await send(page, " and then");
  await answer(page).nth(1).filter({ hasText: /\w/ }).waitFor();
});

test("a browser with WebGPU but without a GPU", async () => {
  const page = await site.open("", (page) =>
    inWorkers(page, () => {
      navigator.gpu.requestAdapter = async () => null;
    }),
  );
  await alert(page).getByRole("heading", { name: "This browser offers no GPU" }).waitFor();
  expect(await alert(page).innerText()).toMatch(/hardware acceleration.*graphics driver/);
  await button(page, "Try again").waitFor();
});

/** The tiny model's file with another chat template, or none. */
function tokenizerConfig(template: string | undefined): string {
  const config = JSON.parse(readFileSync(`${TINY}/tokenizer_config.json`, "utf8"));
  return JSON.stringify({ ...config, chat_template: template });
}

// In the worker:

/** A GPU with room for `bytes` in buffers, which reports running out like a real one. */
function smallMemory(bytes: number): void {
  let used = 0;
  const filters: { filter: GPUErrorFilter; full: boolean }[] = [];
  const { createBuffer, pushErrorScope, popErrorScope } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  const live = new WeakSet<GPUBuffer>();
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    live.add(buffer);
    used += descriptor.size;
    const scope = filters.findLast(({ filter }) => filter === "out-of-memory");
    if (scope && used > bytes) scope.full = true;
    return buffer;
  };
  GPUBuffer.prototype.destroy = function () {
    if (live.delete(this)) used -= this.size;
    return destroy.call(this);
  };
  GPUDevice.prototype.pushErrorScope = function (filter) {
    filters.push({ filter, full: false });
    return pushErrorScope.call(this, filter);
  };
  GPUDevice.prototype.popErrorScope = async function () {
    const scope = filters.pop();
    const error = await popErrorScope.call(this);
    return scope?.full ? new GPUOutOfMemoryError("Failed to allocate memory for buffer.") : error;
  };
}
