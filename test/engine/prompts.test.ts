// Empty prompts and unknown tokens never reach the GPU; answers end at the end-of-sequence tokens of every
// file.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { score } from "../../engine/graph/score.ts";
import { SAFE_PROMPT } from "../../engine/guard/safe-prompt.ts";
import {
  ChatTemplateError,
  type Chunk,
  loadModel,
  type Message,
  type Model,
  type Source,
} from "../../engine/node.ts";
import { serving } from "../server/serving.ts";
import { filesOf, memorySource } from "../weights/memory-source.ts";

const TINY = "weights/tiny-mistral";
const EXTRA = "<extra>";
type Json = Record<string, unknown>;

const read = (name: string): Json => JSON.parse(readFileSync(`${TINY}/${name}`, "utf8"));
const bytes = (json: unknown) => new TextEncoder().encode(JSON.stringify(json));

/** The tiny model with other files next to its weights. */
function tinyWith(files: Record<string, Json>): Source {
  const tokenizer = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"];
  const all = Object.fromEntries(
    tokenizer.map((name) => [name, new Uint8Array(readFileSync(`${TINY}/${name}`))]),
  );
  const changed = Object.entries(files).map(([name, json]) => [name, bytes(json)] as const);
  return memorySource({ ...filesOf(TINY), ...all, ...Object.fromEntries(changed) });
}

async function withModel(files: Record<string, Json>, use: (model: Model) => Promise<void>): Promise<void> {
  const model = await loadModel(tinyWith(files));
  try {
    await use(model);
  } finally {
    model.dispose();
  }
}

async function textOf(answer: AsyncIterable<Chunk>): Promise<string> {
  let text = "";
  for await (const chunk of answer) text += chunk.text;
  return text;
}

const system = [{ role: "system", content: "Be brief." }] as const;

test("a prompt without tokens is an error, also after another client's answer", async () => {
  const config = {
    ...read("tokenizer_config.json"),
    add_bos_token: false,
    chat_template: "{% for m in messages if m.role != 'system' %}{{ m.content }}{% endfor %}",
  };
  await withModel({ "tokenizer_config.json": config }, async (model) => {
    await textOf(model.generate("Once upon a time", { temperature: 0, maxTokens: 3 }));
    const { steps } = await model.activity();
    await expect(textOf(model.generate("", { temperature: 0, maxTokens: 3 }))).rejects.toMatchObject({
      parameter: "prompt",
    });
    await expect(textOf(model.generate([], { temperature: 0, maxTokens: 3 }))).rejects.toMatchObject({
      parameter: "prompt",
    });
    await expect(textOf(model.chat(system, { temperature: 0, maxTokens: 3 }))).rejects.toThrow(
      ChatTemplateError,
    );
    await expect(model.score("")).rejects.toMatchObject({ parameter: "text" });
    await expect(model.score([1])).rejects.toThrow(/at least two tokens/);
    await expect(model.logits([])).rejects.toMatchObject({ parameter: "ids" });
    await expect(model.candidates([])).rejects.toMatchObject({ parameter: "ids" });
    await expect(model.attention([], { layer: 0 })).rejects.toMatchObject({ parameter: "ids" });

    const { post } = await serving(model);
    for (const [path, body, param] of [
      ["/v1/chat/completions", { messages: system }, "messages"],
      ["/v1/chat/completions", { messages: system, stream: true }, "messages"],
      ["/v1/completions", { prompt: "" }, "prompt"],
      ["/v1/completions", { prompt: "", stream: true, echo: true, logprobs: 1 }, "prompt"],
      ["/v1/completions", { prompt: ["Once", ""] }, "prompt"],
    ] as const) {
      const response = await post(path, body);
      expect(response.status, `${path} ${JSON.stringify(body)}`).toBe(400);
      expect(await response.json()).toMatchObject({ error: { param } });
    }
    expect((await post("/client/v4/accounts/a/ai/run/paper", { messages: system })).status).toBe(400);
    // None of these calls ran a step.
    expect((await model.activity()).steps).toBe(steps);
  });
});

test("an empty template is no template, and a list without a default one leaves generate as it is", async () => {
  for (const [template, words] of [
    ["", /base model/],
    ["  \n", /base model/],
    [[{ name: "tool_use", template: "{{ messages }}" }], /tool_use/],
  ] as const) {
    const config = { ...read("tokenizer_config.json"), chat_template: template };
    await withModel({ "tokenizer_config.json": config }, async (model) => {
      await expect(textOf(model.chat(system))).rejects.toThrow(words);
      expect(await textOf(model.generate("Once upon a time", { temperature: 0, maxTokens: 2 }))).not.toBe("");
    });
  }
});

test("a token without an embedding is refused by name, in every call", async () => {
  const tokenizer = read("tokenizer.json");
  const added = tokenizer["added_tokens"] as Json[];
  const more = {
    ...tokenizer,
    added_tokens: [...added, { ...added[0], id: 2048, content: EXTRA, special: true }],
  };
  await withModel({ "tokenizer.json": more }, async (model) => {
    expect(model.config.V).toBe(2048);
    const names = /0 to 2047, got 2048, the token "<extra>"/;
    await expect(textOf(model.generate(`Once ${EXTRA}`))).rejects.toThrow(names);
    await expect(textOf(model.generate([1, 2048]))).rejects.toThrow(names);
    await expect(model.encode(`Once ${EXTRA}`)).rejects.toThrow(names);
    await expect(model.score(`Once ${EXTRA}`)).rejects.toThrow(names);
    await expect(model.score([1, 2048])).rejects.toThrow(names);
    await expect(model.logits([1, 2048])).rejects.toThrow(names);
    await expect(model.candidates([1, 2048])).rejects.toThrow(names);
    await expect(model.attention([1, 2048], { layer: 0 })).rejects.toThrow(names);
    for (const id of [-1, 1.5, Number.NaN, 2 ** 32, "1" as unknown as number])
      await expect(textOf(model.generate([1, id]))).rejects.toMatchObject({ parameter: "prompt" });

    const { post } = await serving(model);
    for (const [path, body, param] of [
      ["/v1/completions", { prompt: EXTRA, stream: true }, "prompt"],
      ["/v1/completions", { prompt: [1, 2048], stream: true }, "prompt"],
      ["/v1/completions", { prompt: EXTRA, echo: true, logprobs: 0, max_tokens: 0 }, "prompt"],
      ["/v1/tokenize", { input: EXTRA }, "input"],
    ] as const) {
      const response = await post(path, body);
      expect(response.status, `${path} ${JSON.stringify(body)}`).toBe(400);
      expect(await response.json()).toMatchObject({
        error: { param, message: expect.stringMatching(/2048/) },
      });
    }
    // In a message the same characters are text.
    expect(
      (await post("/v1/chat/completions", { messages: [{ role: "user", content: EXTRA }], max_tokens: 1 }))
        .status,
    ).toBe(200);
  });
});

test("the decoder takes only ids below V, and samples only computed logits of the same sequence", async () => {
  const model = (await loadModel()) as unknown as {
    measure<T>(
      use: (resident: { decoder: import("../../engine/graph/decoder.ts").Decoder }) => Promise<T>,
    ): Promise<T>;
    dispose(): void;
  };
  await model.measure(async ({ decoder }) => {
    const { V } = decoder.shape;
    await expect(decoder.prefillChunk(0, [1, V], 0)).rejects.toThrow(RangeError);
    await expect(decoder.prefillChunk(0, [], 0)).rejects.toThrow(RangeError);
    expect(() => decoder.setRow(0, V)).toThrow(RangeError);
    await expect(decoder.retrace(0, [V], 1)).rejects.toThrow(RangeError);
    await expect(score(decoder, 0, [1, V]).next()).rejects.toThrow(RangeError);

    const others = /decoder: expected the rows/;
    const prefilled = () => decoder.prefill(0, [1, 2, 3], 0);
    await expect(decoder.first(0, 0)).rejects.toThrow(others);
    // Logits of another sequence, of another token, read twice.
    for (const wrong of [() => decoder.first(1, 2), () => decoder.logits(1, 2), () => decoder.first(0, 1)]) {
      await prefilled();
      await expect(wrong()).rejects.toThrow(others);
    }
    await prefilled();
    await decoder.logits(0, 2);
    await expect(decoder.logits(0, 2)).rejects.toThrow(others);
    // Another prompt in the ring, inspecting another token, tokens recomputed.
    const between = [
      () => decoder.configure(0, { settings: {}, seed: 1, prompt: [5] }),
      () => decoder.setRow(0),
      () => decoder.retrace(0, [4], 3),
    ];
    for (const use of between) {
      await prefilled();
      await use();
      await expect(decoder.first(0, 2)).rejects.toThrow(others);
    }
    await prefilled();
    expect((await decoder.first(0, 2)).id).toBeLessThan(V);
    await decoder.step([{ ring: 0, position: 3 }]);
    await decoder.step([{ ring: 0, position: 4 }]);
    for (const row of [
      { ring: 0, position: 4 },
      { ring: 1, position: 5 },
    ])
      await expect(decoder.step([row])).rejects.toThrow(others);
    await expect(decoder.step([])).rejects.toThrow(others);
  });
  model.dispose();
});

test("an answer ends at every token that config.json, generation_config.json or the tokenizer calls the end", async () => {
  const config = read("config.json");
  const id = async (model: Model, text: string) => (await model.encode(text)).at(-1)!;
  const files = {
    "config.json": { ...config, eos_token_id: 2 },
    "generation_config.json": { eos_token_id: [2, 300] },
    "tokenizer_config.json": { ...read("tokenizer_config.json"), eos_token: { content: "<0x0A>" } },
  };
  await withModel(files, async (model) => {
    for (const end of [2, 300, 13]) {
      const chunks: Chunk[] = [];
      for await (const chunk of model.generate("Once", {
        temperature: 0,
        maxTokens: 3,
        logitBias: { [end]: 1000 },
      }))
        chunks.push(chunk);
      expect(chunks.at(-1)?.finish, `end ${end}`).toMatchObject({ reason: "stop", completionTokens: 0 });
    }
    expect(await id(model, "\n")).toBe(13);
  });
});

test("the safe prompt goes in front of the messages, once, also where the template has no system message", async () => {
  const config = {
    ...read("tokenizer_config.json"),
    chat_template: "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}",
  };
  const user = { role: "user", content: "Hello" } as const;
  const guarded = async (model: Model, messages: readonly Message[]) =>
    model.decode(await model.encodeChat(messages, { safePrompt: true }));
  await withModel({ "tokenizer_config.json": config }, async (model) => {
    expect(await guarded(model, [user])).toBe(`[system]${SAFE_PROMPT}[user]Hello`);
    expect(await guarded(model, [...system, user])).toBe(`[system]${SAFE_PROMPT}\n\nBe brief.[user]Hello`);
    const ids = await model.encodeChat([user], { safePrompt: true });
    for await (const { finish } of model.chat([user], { temperature: 0, safePrompt: true, maxTokens: 1 }))
      if (finish) expect(finish.promptTokens).toBe(ids.length);
    const { usage } = await model.openai.chat.completions.create({
      messages: [user],
      safe_prompt: true,
      max_tokens: 1,
    });
    expect(usage.prompt_tokens).toBe(ids.length);
    // The messages are checked first.
    const none = model.encodeChat(undefined as never, { safePrompt: true });
    await expect(none).rejects.toMatchObject({ parameter: "messages" });
  });
  await withModel({}, async (model) => {
    const [first] = (await guarded(model, [user])).split("\n\n");
    expect(first).toContain(SAFE_PROMPT);
  });
});

test("a prompt does not end with the end-of-sequence token that a tokenizer appends", async () => {
  const config = { ...read("tokenizer_config.json"), add_eos_token: true };
  await withModel({ "tokenizer_config.json": config }, async (model) => {
    expect((await model.encode("Once upon")).at(-1)).not.toBe(2);
    const text = await textOf(model.generate("Once upon", { temperature: 0, maxTokens: 4 }));
    expect(text).toBe(
      await textOf(model.generate(await model.encode("Once upon"), { temperature: 0, maxTokens: 4 })),
    );
    // A text that is scored ends, as it does in other libraries.
    const { logProbs } = await model.score("Once upon");
    expect(logProbs.length).toBe((await model.encode("Once upon")).length);
  });
});

test("the next turn of a chat continues in the cache if the template writes the space before an answer", async () => {
  const config = read("tokenizer_config.json");
  const template = String(config["chat_template"]);
  const spaced = template.replace("{{ message['content'] + eos", "{{ ' ' + message['content'] + eos");
  expect(spaced).not.toBe(template);
  await withModel({ "tokenizer_config.json": { ...config, chat_template: spaced } }, async (model) => {
    const messages: Message[] = [{ role: "user", content: "Tell me a story about a dog." }];
    const first = await model.answer(messages, { maxTokens: 20, temperature: 0 });
    expect(first.text).not.toMatch(/^\s/);
    messages.push({ role: "assistant", content: first.text }, { role: "user", content: "And then?" });
    const second = await model.answer(messages, { maxTokens: 2 });
    // Nothing was computed from the last token.
    expect(second.usage.cachedTokens).toBe(first.usage.promptTokens + first.usage.completionTokens - 1);
  });
});
