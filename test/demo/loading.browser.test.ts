// Models other than the embedded one, and the messages when none can be loaded.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site, sendRange } from "./site.ts";

const FOLDER = "weights/tiny-mistral";

let site: Site;
let page: Page;
beforeAll(async () => {
  site = await openSite();
  page = await site.open("#models");
});
afterAll(() => site?.close());

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

test("a dropped folder is inspected too", async () => {
  await page.goto(`${site.url}#models`);
  const box = await page.locator(".drop").boundingBox();
  if (!box) throw new Error("expected a place to drop a folder on");
  const at = { x: box.x + 20, y: box.y + 20 };
  const data = { items: [], files: [resolve(FOLDER)], dragOperationsMask: 1 };
  const devtools = await site.context.newCDPSession(page);
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await devtools.send("Input.dispatchDragEvent", { type, ...at, data });
  await dialog().getByText("10.6 MB").first().waitFor();
  expect(await dialog().getByRole("heading").innerText()).toBe("Load tiny-mistral");
  await dialog().getByRole("button", { name: "Cancel" }).click();
});

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
  await page.getByRole("button", { name: /^Mistral 7B/ }).click();
  await dialog().getByText("needs your permission").waitFor();
  await dialog().getByLabel("Access token").fill("hf_right");
  await page.keyboard.press("Enter");
  await dialog().getByRole("button", { name: "Load" }).waitFor();
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

test("without WebGPU the page says so, and what to do", async () => {
  const bare = await site.context.newPage();
  await bare.addInitScript(() => Object.defineProperty(navigator, "gpu", { value: undefined }));
  await bare.goto(site.url);
  await bare.getByRole("alert").getByText("This browser offers no GPU").waitFor();
  expect(await bare.getByRole("alert").innerText()).toMatch(/recent Chrome/);
  await bare.close();
});
