// Tools in the page: the visitor lists them, the model calls them, the visitor writes what they return.
import { readFileSync } from "node:fs";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Chunk, EncodeChatOptions, Message, Model } from "../../engine/node.ts";
import { fakeModel } from "../fake-model.ts";
import { serving } from "../server/serving.ts";
import { readTemplate } from "../tokenizer/fixtures.ts";
import { openSite, type Site } from "./site.ts";

const PAGE = { page: { page: "dist-demo", weights: "weights/tiny-mistral" } };
const CALLS = [
  { id: "aaaaaaaa1", name: "get_weather", arguments: '{"city":"Bath","unit":"celsius"}' },
  { id: "aaaaaaaa2", name: "get_weather", arguments: '{"city":"Rome"}' },
];
const FINISH = {
  ...{ promptTokens: 9, cachedTokens: 0, completionTokens: 4 },
  ...{ waitedMs: 0, prefillMs: 1, decodeMs: 1 },
};

let site: Site;
beforeAll(async () => {
  site = await openSite();
  await site.context.addInitScript({ content: axe.source });
});
afterAll(() => site?.close());

const send = async (page: Page, text: string) => {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
};
const answer = (page: Page) => page.getByRole("article", { name: "Answer" }).last();
const turnOn = async (page: Page) => {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("checkbox", { name: "Tools" }).check();
  await page.getByRole("button", { name: "Insert an example" }).click();
  await expect.poll(() => page.locator("#tools").inputValue()).toContain("get_weather");
  await page.getByRole("button", { name: "Done" }).click();
};
const violations = (page: Page) =>
  page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });

/** A model that asks for two calls, until it has seen a result. */
function callingModel() {
  const asked: { readonly messages: readonly Message[]; readonly options: EncodeChatOptions }[] = [];
  const { model } = fakeModel();
  const encodeChat: Model["encodeChat"] = async (messages, options = {}) => {
    asked.push({ messages, options });
    return model.encodeChat(messages, options);
  };
  async function* generate(): AsyncGenerator<Chunk> {
    if (asked.at(-1)?.messages.some(({ role }) => role === "tool")) {
      yield { text: "Bath has 12 °C.", ids: [1] };
      return yield { text: "", ids: [], finish: { ...FINISH, reason: "stop" } };
    }
    yield { text: "I look it up.", ids: [1] };
    for (const [index, call] of CALLS.entries()) {
      yield { text: "", ids: [2], toolCalls: [{ index, ...call, arguments: "" }] };
      const half = call.arguments.length >> 1;
      for (const part of [call.arguments.slice(0, half), call.arguments.slice(half)])
        yield { text: "", ids: [3], toolCalls: [{ index, ...call, arguments: part }] };
    }
    yield { text: "", ids: [], finish: { ...FINISH, reason: "tool-calls" } };
  }
  return { model: { ...model, encodeChat, generate } as Model, asked };
}

test("a model behind a server calls tools, gets the results, and goes on", async () => {
  const { model, asked } = callingModel();
  const server = await serving(model, PAGE);
  const page = await site.context.newPage();
  await page.goto(`${server.url}/`);
  await turnOn(page);
  await send(page, "How warm is it?");
  const calls = page.getByRole("group", { name: "Call of get_weather" });
  await page.getByRole("button", { name: "Send the results" }).waitFor();
  expect(await calls.count()).toBe(2);
  await calls.first().locator(".hljs-attr").first().waitFor();
  expect(await calls.first().locator("pre").textContent()).toBe(
    '{\n  "city": "Bath",\n  "unit": "celsius"\n}',
  );
  expect(asked[0]?.options.tools?.map(({ name }) => name)).toEqual(["get_weather"]);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    expect(await violations(page), colorScheme).toEqual([]);
  }

  const fields = page.getByLabel("Result of get_weather");
  await fields.first().fill('{"celsius": 12}');
  await page.keyboard.press("Enter");
  // The second one is still empty.
  expect(asked).toHaveLength(1);
  await fields.nth(1).fill("unknown");
  await page.keyboard.press("Enter");
  await answer(page).getByText("Bath has 12 °C.").waitFor();
  expect(asked[1]?.messages.slice(1)).toMatchObject([
    { role: "assistant", content: "I look it up.", toolCalls: CALLS },
    { role: "tool", content: '{"celsius": 12}', toolCallId: "aaaaaaaa1" },
    { role: "tool", content: "unknown", toolCallId: "aaaaaaaa2" },
  ]);
  expect(await page.getByRole("button", { name: "Send the results" }).count()).toBe(0);

  // All of it is kept; "Regenerate" uses the results again.
  await page.reload();
  await page.getByText("unknown").waitFor();
  await page.getByRole("button", { name: "Regenerate" }).click();
  await expect.poll(() => asked.length).toBe(3);
  expect(asked[2]?.messages).toHaveLength(4);
  await answer(page).getByText("Bath has 12 °C.").waitFor();
  expect(await violations(page)).toEqual([]);
  await page.close();
});

test("a message in place of a result leaves the call out", async () => {
  const { model, asked } = callingModel();
  const page = await site.context.newPage();
  await page.goto(`${(await serving(model, PAGE)).url}/`);
  await turnOn(page);
  await send(page, "How warm is it?");
  await page.getByRole("button", { name: "Send the results" }).waitFor();
  await send(page, "Never mind.");
  await page.getByText("No result was sent.").first().waitFor();
  // The page shows it before the server is asked.
  await expect
    .poll(() => asked[1]?.messages)
    .toEqual([
      { role: "user", content: "How warm is it?" },
      { role: "assistant", content: "I look it up." },
      { role: "user", content: "Never mind." },
    ]);
  await page.close();
});

test("a list that is none is told at its field, and a model without tools says so", async () => {
  const page = await site.open();
  await page.locator('.dot[data-state="ready"]').waitFor();
  await turnOn(page);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.locator("#tools").fill("[{}]");
  await page.locator("#tools").blur();
  await page.getByText('number 1 has no "name"').waitFor();
  expect(await violations(page)).toEqual([]);
  // The example replaces nothing that was written.
  expect(await page.getByRole("button", { name: "Insert an example" }).isDisabled()).toBe(true);
  await page.locator("#tools").fill("");
  await page.locator("#tools").blur();
  await page.getByRole("button", { name: "Insert an example" }).click();
  await expect.poll(() => page.locator("#tools-problem").textContent()).toBe("");
  await page.getByRole("button", { name: "Done" }).click();
  await send(page, "Tell me a story.");
  await page.getByRole("alert").getByText("This model takes no tools").waitFor();
  await page.getByRole("button", { name: "Answer without tools" }).click();
  await page.getByRole("article", { name: "Answer" }).getByText(/\w/).first().waitFor();
  expect(site.complaints()).toEqual([]);
  await page.close();
});

test("the model of the page sees tools, calls and results in its own format", async () => {
  const config = JSON.parse(readFileSync("weights/tiny-mistral/tokenizer_config.json", "utf8"));
  config.chat_template = readTemplate("qwen3");
  const body = Buffer.from(JSON.stringify(config));
  const page = await site.open("#t", async (each) => {
    await each.route("**/tokenizer_config*.json", (route) => {
      const [, from = "0", to] = /^bytes=(\d+)-(\d*)$/.exec(route.request().headers()["range"] ?? "") ?? [];
      const part = body.subarray(Number(from), to ? Number(to) + 1 : undefined);
      const range = `bytes ${from}-${Number(from) + part.length - 1}/${body.length}`;
      return route.fulfill({ status: 206, headers: { "content-range": range }, body: part });
    });
    await each.addInitScript((toolCalls) => {
      const turns = [
        { role: "user", content: "How warm is it?" },
        { role: "assistant", content: "", toolCalls },
        { role: "tool", content: "12", toolCallId: toolCalls[0]?.id },
        { role: "tool", content: "30", toolCallId: toolCalls[1]?.id },
      ];
      localStorage.setItem("sirocco.conversation.t", JSON.stringify({ id: "t", updated: 1, turns }));
      localStorage.setItem("sirocco.settings", JSON.stringify({ maxTokens: 4 }));
    }, CALLS);
  });
  const context = async () => {
    const text = (await page.locator(".context").textContent()) ?? "";
    return Number(/Context: ([\d,]+)/.exec(text)?.[1]?.replace(",", ""));
  };
  await page.locator('.dot[data-state="ready"]').waitFor();
  await page.getByRole("button", { name: "Regenerate" }).click();
  await page.getByText(/first after/).waitFor();
  const without = await context();
  await turnOn(page);
  await page.getByRole("button", { name: "Regenerate" }).last().click();
  await expect.poll(context).toBeGreaterThan(without + 100);
  expect(await page.getByRole("alert").filter({ hasText: /\w/ }).count()).toBe(0);
  await page.close();
});
