// Models other than the embedded one, and the messages when none can be loaded.
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { folderSource, openCheckpoint } from "../../weights/node.ts";
import { smallGguf, writeGguf } from "../weights/gguf-file.ts";
import { ggufOf, MISTRAL_7B_BYTES, mistral7bHeader, sentencePiecePairs } from "../weights/gguf-of.ts";
import { inWorkers, openSite, type Site, sendRange } from "./site.ts";

const FOLDER = "weights/tiny-mistral";

const FORMATS = "test/golden/formats";
const SPLIT = ["1", "2"].map((part) => `${FORMATS}/gguf_q8_0_split/tiny-Q8_0-0000${part}-of-00002.gguf`);

let site: Site;
let page: Page;
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "sirocco-loading-"));
  site = await openSite({ adapter: "webgpu" });
  page = await site.open("#models");
});
afterAll(async () => {
  await site?.close();
  await rm(scratch, { recursive: true });
});

const dialog = () => page.getByRole("dialog", { name: /^Load/ });

test("a folder: the pre-flight shows its numbers, and it loads in the chosen format", async () => {
  await page.locator("#model-folder").setInputFiles(FOLDER);
  await dialog().getByRole("button", { name: "Load" }).waitFor();
  const text = await dialog().innerText();
  expect(text).toMatch(/5\.3 M[\s\S]*10\.6 MB[\s\S]*swiftshader/);
  expect(
    await dialog()
      .getByRole("radio", { name: /fits best/ })
      .isChecked(),
  ).toBe(true);
  const total = () => dialog().locator("td").last().innerText();
  const before = await total();
  await dialog().getByRole("radio", { name: /^q4/ }).check();
  expect(await total()).not.toBe(before);
  await dialog().getByRole("button", { name: "Load" }).click();
  await page.locator('.dot[data-state="ready"]').waitFor();
  expect(await page.getByRole("button", { name: /^Model/ }).innerText()).toContain("tiny-mistral");
  await page.getByLabel("Message", { exact: true }).fill("Tell me a story about a fox.");
  await page.keyboard.press("Enter");
  await page.locator("markdown-text").filter({ hasText: /\w/ }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Regenerate" }).waitFor();
});

async function drop(...files: string[]): Promise<void> {
  const box = await page.locator(".drop").boundingBox();
  if (!box) throw new Error("expected a place to drop a folder on");
  const at = { x: box.x + 20, y: box.y + 20 };
  const data = { items: [], files: files.map((file) => resolve(file)), dragOperationsMask: 1 };
  const devtools = await site.context.newCDPSession(page);
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await devtools.send("Input.dispatchDragEvent", { type, ...at, data });
}

test("a dropped folder is inspected too", async () => {
  await page.goto(`${site.url}#models`);
  await drop(FOLDER);
  await dialog().getByText("10.6 MB").first().waitFor();
  expect(await dialog().getByRole("heading").innerText()).toBe("Load tiny-mistral");
  await dialog().getByRole("button", { name: "Cancel" }).click();
});

test("the pre-flight counts with the context length of the settings", async () => {
  const set = async (length: string) => {
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Context length").fill(length);
    await page.getByRole("button", { name: "Done" }).click();
  };
  await page.goto(`${site.url}#models`);
  await set("96");
  await page.locator("#model-folder").setInputFiles(FOLDER);
  await dialog().getByText("96 tokens").waitFor();
  await dialog().getByRole("button", { name: "Cancel" }).click();
  await set("");
});

test("a GGUF file is picked and answers; one in parts is dropped; a missing part is named", async () => {
  const tiny = await openCheckpoint(folderSource(FOLDER));
  const file = await ggufOf(tiny, "llama");
  file.pairs.push(...(await sentencePiecePairs(tiny)));
  const path = join(scratch, "tales.gguf");
  await writeFile(path, writeGguf(file));
  await page.locator("#model-file").setInputFiles(path);
  await dialog().getByRole("button", { name: "Load" }).click();
  await page.locator('.dot[data-state="ready"]').waitFor();
  expect(await page.getByRole("button", { name: /^Model/ }).innerText()).toContain("tales.gguf");
  await page.getByLabel("Message", { exact: true }).fill("Tell me a story about a fox.");
  await page.keyboard.press("Enter");
  await page.locator("markdown-text").filter({ hasText: /\w/ }).last().waitFor();
  await page.keyboard.press("Escape");

  await page.goto(`${site.url}#models`);
  await drop(...SPLIT);
  await dialog()
    .getByRole("radio", { name: /^q8.*fits best/ })
    .waitFor();
  expect(await dialog().getByRole("heading").innerText()).toBe("Load tiny-Q8_0-00001-of-00002.gguf");
  await dialog().getByRole("button", { name: "Cancel" }).click();
  await page.locator("#model-file").setInputFiles(SPLIT[0]!);
  await dialog().getByRole("alert").getByText("00002-of-00002.gguf: expected").waitFor();
  await page.keyboard.press("Escape");
});

test("a window that a GGUF file has lost is given back, unless the visitor takes it away", async () => {
  const path = join(scratch, "v0.1.gguf");
  await writeFile(path, mistral7bHeader(1e4));
  await truncate(path, MISTRAL_7B_BYTES);
  await page.locator("#model-file").setInputFiles(path);
  const window = () => dialog().getByRole("checkbox", { name: /window of 4096 tokens/ });
  await window().waitFor();
  expect(await window().isChecked()).toBe(true);
  await dialog().getByText("rolling window").waitFor();
  await window().uncheck();
  await dialog().getByText("rolling window").waitFor({ state: "detached" });
  expect(await window().isChecked()).toBe(false);
  await dialog().getByRole("button", { name: "Cancel" }).click();
});

test("of the GGUF files of a repository one is chosen, by name and size", async () => {
  const folders = { "m-Q4_0": "gguf_q4_0", "m-Q4_K_M": "gguf_q4_k_m", "m-Q8_0": "gguf_q8_0", "m-IQ4_NL": "" };
  const headers = { "access-control-allow-origin": "*" };
  await page.route("https://huggingface.co/**", async (route) => {
    const { pathname } = new URL(route.request().url());
    const name = pathname.split("/").at(-1)?.replace(".gguf", "") ?? "";
    if (pathname === "/api/models/owner/tiny/tree/main")
      return route.fulfill({ headers, json: Object.keys(folders).map((name) => ({ path: `${name}.gguf` })) });
    const from = Object.hasOwn(folders, name) ? folders[name as keyof typeof folders] : undefined;
    if (from === undefined) return route.fulfill({ status: 404, headers });
    if (from === "") return sendRange(route, Buffer.from(unknownType()));
    return sendRange(route, await readFile(`${FORMATS}/${from}/tiny-${name.slice(2)}.gguf`));
  });
  await page.getByLabel(/^A repository/).fill("https://huggingface.co/owner/tiny/tree/main");
  await page.getByRole("button", { name: "Look" }).click();
  const files = dialog().getByLabel("File");
  await files.waitFor();
  expect(await files.inputValue()).toBe("m-Q4_K_M.gguf");
  expect(await files.locator("option").allInnerTexts()).toContain("m-Q4_0.gguf (65.1 kB)");
  await files.selectOption("m-Q8_0.gguf");
  await dialog().getByRole("radio", { name: /^q8/ }).waitFor();
  expect(await dialog().getByRole("heading").innerText()).toBe("Load owner/tiny/m-Q8_0.gguf");
  await files.selectOption("m-IQ4_NL.gguf");
  // The message names the type, and what to take instead.
  await dialog()
    .getByRole("alert")
    .getByText(/got IQ4_NL.*Choose a file with one of these types/)
    .waitFor();
  await page.keyboard.press("Escape");
  await page.unroute("https://huggingface.co/**");
});

/** A file with a matrix of a type that is not read. */
function unknownType(): Uint8Array {
  const file = smallGguf();
  file.tensors.find(({ name }) => name === "output.weight")!.type = 20;
  return writeGguf(file);
}

test("a gated repository: the page says what to do, and the token is sent only to the Hub", async () => {
  const tokens: string[] = [];
  await page.route("https://huggingface.co/**", async (route) => {
    const request = route.request();
    const headers = {
      "access-control-allow-origin": "*",
      "access-control-allow-headers": "authorization, range",
    };
    if (request.method() === "OPTIONS") return route.fulfill({ status: 204, headers });
    const token = request.headers()["authorization"] ?? "";
    tokens.push(token);
    if (token !== "Bearer hf_right") return route.fulfill({ status: 401, headers });
    const name = new URL(request.url()).pathname.split("/").at(-1) ?? "";
    const bytes = await readFile(`${FOLDER}/${name}`).catch(() => undefined);
    if (!bytes) return route.fulfill({ status: 404, headers });
    return sendRange(route, bytes);
  });
  await page.getByText(/^\d+ more models$/).click();
  const card = page.getByRole("button", { name: /^Mistral 7B.*16.bits/ });
  expect(await card.innerText()).toMatch(/14\.5 GB to download[\s\S]*on the GPU[\s\S]*needs permission/);
  await card.click();
  await dialog().getByText("needs your permission").waitFor();
  const links = await dialog()
    .getByRole("link")
    .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
  expect(links).toEqual([
    "https://huggingface.co/mistralai/Mistral-7B-Instruct-v0.3",
    "https://huggingface.co/settings/tokens",
  ]);
  await dialog().getByLabel("Access token").fill("hf_right");
  await page.keyboard.press("Enter");
  await dialog().getByRole("button", { name: "Load" }).waitFor();
  expect(await dialog().innerText()).toMatch(
    /Load Mistral 7B Instruct v0\.3, 16 bits[\s\S]*To download[\s\S]*Apache-2\.0/,
  );
  expect(new Set(tokens)).toEqual(new Set(["", "Bearer hf_right"]));
  const stored = await page.evaluate(() => JSON.stringify(localStorage));
  expect(stored).not.toContain("hf_right");
  await dialog().getByRole("button", { name: "Cancel" }).click();
});

test("a load can be cancelled, and the tiny model is one click away", async () => {
  await page.goto(site.url);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("No model is loaded").waitFor();
  await page.getByRole("button", { name: "Use the tiny model" }).click();
  await page.locator('.dot[data-state="ready"]').waitFor();
});

test("where the address asks for WebGPU and there is none, the page says what to do", async () => {
  const bare = await site.context.newPage();
  await inWorkers(bare, () => Object.defineProperty(navigator, "gpu", { value: undefined }));
  await bare.goto(site.url);
  await bare.getByRole("alert").getByText("This browser offers no GPU").waitFor();
  expect(await bare.getByRole("alert").innerText()).toMatch(/recent Chrome/);
  await bare.close();
});
