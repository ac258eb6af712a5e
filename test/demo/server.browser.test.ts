// The page with a model behind a server.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureSite } from "../../scripts/build-site.mjs";
import { type Chromium, openChromium } from "../browser/chromium.ts";
import { fakeModel } from "../fake-model.ts";
import { type Serving, serving } from "../server/serving.ts";

let chromium: Chromium;
beforeAll(async () => {
  if (!(await ensureSite())) throw new Error("The site could not be built: see above.");
  chromium = await openChromium();
});
afterAll(() => chromium?.close());

const PAGE = { page: { page: "dist-demo", weights: "weights/tiny-mistral" } };

async function open(server: Serving): Promise<Page> {
  const page = await chromium.context.newPage();
  await page.goto(`${server.url}/`);
  return page;
}
const send = async (page: Page, text: string) => {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
};
const answer = (page: Page) => page.getByRole("article", { name: "Answer" }).last();
const connect = async (page: Page, address: string, key = "") => {
  await page.getByLabel("Address", { exact: true }).fill(address);
  await page.getByLabel("Key, if it asks for one").fill(key);
  await page.getByRole("button", { name: "Connect" }).click();
};

test("the page that a server sends talks to it, thoughts and settings included, and says so", async () => {
  const { model, calls } = fakeModel({ thoughts: ["Hm. "], pieces: ["A ", "**cat**."] });
  const server = await serving(model, PAGE);
  const page = await open(server);
  await send(page, "Who?");
  await answer(page).getByText("A cat.").waitFor();
  await answer(page).getByText("3 tokens").waitFor();
  expect(await page.getByText("Hm.").count()).toBe(1);
  expect(calls[0]?.prompt).toContain("Who?");
  expect(calls[0]?.options).toMatchObject({ temperature: 0.7, topP: 0.95, maxTokens: 512 });
  await page.getByText(`${new URL(server.url).host} answers them.`).waitFor();
  // The same server again, with the conversation.
  await page.reload();
  await send(page, "And then?");
  await expect.poll(() => calls.length).toBe(2);
  expect(calls[1]?.prompt).toMatch(/Who\?.*A \*\*cat\*\*\..*And then\?/s);
  await page.close();
});

test("Stop ends the answer on the server", async () => {
  const { model, calls } = fakeModel({
    pieces: Array.from({ length: 10_000 }, () => "la "),
    before: () => new Promise((wait) => setTimeout(wait, 5)),
  });
  const page = await open(await serving(model, PAGE));
  await send(page, "Sing.");
  await answer(page).getByText("la la").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await expect.poll(() => calls[0]?.end).toMatch(/abort|left/);
  await page.close();
});

test("a server with keys asks for one; a wrong address and a refused origin are told in words", async () => {
  const own = await serving(fakeModel().model, { ...PAGE, keys: ["sesame-0000"] });
  const page = await open(own);
  await page.getByText("The server asks for a key").waitFor();
  await page.getByRole("button", { name: "Models", exact: true }).click();
  await connect(page, own.url, "sesame-0000");
  await send(page, "Hello");
  await answer(page).getByText("There was a cat.").waitFor();
  // Another server does not allow this page.
  const other = await serving(fakeModel().model, { name: "other" });
  await page.goto(`${own.url}/#models`);
  await connect(page, `127.0.0.1:${other.port}`);
  await page.getByText("The server does not answer").first().waitFor();
  expect(await page.getByText(`sirocco serve --cors ${own.url}`).count()).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Models", exact: true }).click();
  await connect(page, "no address");
  expect(
    await page
      .getByLabel("Address", { exact: true })
      .evaluate((field: HTMLInputElement) => field.validationMessage),
  ).toContain("http://localhost:8000/v1");
  // One that does.
  const open2 = await serving(fakeModel({ pieces: ["Yes."] }).model, { name: "friend", cors: [own.url] });
  await connect(page, `${open2.url}/v1/chat/completions`);
  await send(page, "Friend?");
  await answer(page).getByText("Yes.").waitFor();
  await page.close();
});

test("what answers have to be goes to the server, and a schema that is no JSON is told at its field", async () => {
  const { model, calls } = fakeModel();
  const page = await open(await serving(model, PAGE));
  const settings = page.getByRole("dialog", { name: "Settings" });
  const set = async (label: string, text: string) => {
    await page.getByRole("button", { name: "Settings" }).click();
    await settings.getByLabel("Form of answers").selectOption({ label });
    await settings.locator("#shape-text").fill(text);
    await settings.locator("#shape-text").blur();
  };
  const close = () => settings.getByRole("button", { name: "Done" }).click();
  await set("One of some texts", "spam\n\n work \n");
  await close();
  await send(page, "Which?");
  await expect
    .poll(() => calls.at(-1)?.options.format)
    .toEqual({ type: "choice", choices: ["spam", "work"] });
  await set("JSON of a schema", '{"type":');
  await settings.getByText("The JSON Schema in the settings is no JSON").waitFor();
  await settings.locator("#shape-text").fill('{"type":"boolean"}');
  await settings.locator("#shape-text").blur();
  await close();
  await send(page, "True?");
  await expect
    .poll(() => calls.at(-1)?.options.format)
    .toEqual({ type: "json_schema", schema: { type: "boolean" } });
  await page.close();
});

test("a conversation that is too long for the server goes on without its oldest messages", async () => {
  // While an answer runs, the page sends nothing.
  const answered = async (count: number) => {
    await expect.poll(() => calls.length).toBe(count);
    await expect.poll(() => page.locator("article[aria-busy=true]").count()).toBe(0);
  };
  // A token a character.
  const { model, calls } = fakeModel({ pieces: ["Yes."], contextLength: 700 });
  const page = await open(await serving(model, PAGE));
  await send(page, "a".repeat(100));
  await answer(page).getByText("Yes.").waitFor();
  await page.getByText(/of 700 tokens/).waitFor();
  await send(page, "b".repeat(100));
  await answered(2);
  await page.getByText("does not see the first").waitFor();
  expect(calls[1]?.prompt).toBe("b".repeat(100));
  // The next one begins where this one did.
  await send(page, "c");
  await answered(3);
  expect(calls[2]?.prompt).toMatch(/^b+\nYes\.\nc$/);
  await send(page, "d".repeat(300));
  await page.getByText("The conversation is too long for the model").waitFor();
  await page.close();
});
