// Calls of tools in every format: random answers that the constraint allows are calls that the reader reads,
// whose arguments are valid.
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it, test } from "vitest";
import { AnswerText } from "../../../engine/answer/answer-text.ts";
import { thinkingAfter } from "../../../engine/answer/thinking.ts";
import type { ChatOptions, JsonSchema, Tool, ToolCall } from "../../../engine/api.ts";
import { callGrammar } from "../../../engine/tools/call-grammar.ts";
import { answerCalls } from "../../../engine/tools/calling.ts";
import type { Tokenizer } from "../../../tokenizer/index.ts";
import { mistralChat } from "../../../weights/vocabulary/mistral-chat.ts";
import { randomU32 } from "../../random.ts";
import { readTemplate } from "../../tokenizer/fixtures.ts";
import { toolTokenizer } from "../../tool-tokenizer.ts";

const tools: readonly Tool[] = [
  {
    name: "get_weather",
    description: "The weather",
    parameters: {
      type: "object",
      properties: {
        city: { type: "string", maxLength: 8 },
        days: { type: "integer", minimum: 1, maximum: 14 },
        parts: { type: "array", maxItems: 2, items: { enum: ["}", "]", '"'] } },
      },
      required: ["city", "days"],
      additionalProperties: false,
    },
  },
  // The name of another tool begins its own.
  { name: "get_weather_2", parameters: { type: "object", properties: {}, additionalProperties: false } },
];

const WIRES: Record<string, readonly [template: string, without?: readonly string[]]> = {
  "Mistral v2": [mistralChat("v2", "a") as string],
  "Mistral v3": [mistralChat("v3", "a") as string],
  "Mistral 7B v0.3": [readTemplate("v0.3")],
  "Mistral v7": [mistralChat("v7", "a") as string],
  "Mistral v11": [mistralChat("v11", "a") as string],
  "Mistral v13": [mistralChat("v13", "a") as string],
  Qwen: [readTemplate("qwen3")],
  "Hermes, whose tags are spelled": [readTemplate("qwen3"), ["<tool_call>", "</tool_call>"]],
  "Llama 3.1": [readTemplate("llama-3")],
};

interface Read {
  text: string;
  readonly calls: ToolCall[];
  /** Arguments of the first pieces: these have none. */
  readonly firsts: string[];
  ids: number[];
}

/** An answer: `pick` chooses each token of those that are allowed; undefined ends it. */
function answer(
  tokenizer: Tokenizer,
  options: ChatOptions,
  pick: (allowed: readonly number[], ids: readonly number[]) => number | undefined,
): Read & { readonly raw: string } {
  const V = tokenizer.size;
  const endIds = new Set([tokenizer.eosId as number]);
  const shown = { ids: [1, 2, 3], tools: options.tools ?? tools };
  const { constraint, calls: reader } = answerCalls(shown, options, { tokenizer, V, endIds, thinks: false })!;
  const text = tokenizer.stream({ continues: false });
  const read: Read = { text: "", calls: [], firsts: [], ids: [] };
  const take = (id: number | undefined, added: string, last = false) => {
    const piece = reader.push(id, added, last);
    read.text += piece.text;
    for (const delta of piece.toolCalls) {
      if (!read.calls[delta.index]) read.firsts.push(delta.arguments);
      const before = read.calls[delta.index]?.arguments ?? "";
      const { id, name } = delta;
      read.calls[delta.index] = { id, name, arguments: before + delta.arguments };
    }
  };
  while (!constraint.complete && read.ids.length < 2000) {
    const mask = constraint.mask();
    const allowed = [...Array(V).keys()].filter((id) => ((mask[id >>> 5]! >>> (id & 31)) & 1) === 1);
    if (allowed.length === 0) expect.fail("no token is allowed");
    const id = pick(allowed, read.ids);
    if (id === undefined || endIds.has(id)) break;
    if (!allowed.includes(id)) expect(allowed).toContain(id);
    constraint.accept(id);
    read.ids.push(id);
    take(id, text.push(id), Boolean(constraint.complete));
  }
  if (!constraint.complete) take(undefined, text.end(), true);
  return { ...read, raw: tokenizer.decode(read.ids, { skipSpecial: false }) };
}

const ajv = new Ajv2020();
const validators = new Map(tools.map(({ name, parameters }) => [name, ajv.compile(parameters as object)]));

function expectValid({ calls, firsts }: Read) {
  expect(firsts.every((text) => text === "")).toBe(true);
  for (const { id, name, arguments: text } of calls) {
    expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(validators.get(name)?.(JSON.parse(text)), `${name}: ${text}`).toBe(true);
  }
  expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
}

describe.each(Object.entries(WIRES))("%s", (name, [template, without]) => {
  const { tokenizer } = toolTokenizer(template, without);

  it("random answers that must call are valid calls and nothing else", () => {
    const random = randomU32(7);
    let several = 0;
    for (let seed = 0; seed < 8; seed++) {
      const read = answer(tokenizer, { toolChoice: "required", seed }, (allowed) => {
        return allowed[random() % allowed.length];
      });
      expect(read.text).toBe("");
      expect(read.calls.length).toBeGreaterThan(0);
      several += Number(read.calls.length > 1);
      expectValid(read);
    }
    expect(several > 0).toBe(name !== "Llama 3.1");
  });

  it("one call if parallelToolCalls is false, or a tool is named", () => {
    const random = randomU32(8);
    for (const options of [
      { toolChoice: "required", parallelToolCalls: false } as const,
      { toolChoice: { name: "get_weather_2" } },
    ])
      for (let seed = 0; seed < 2; seed++) {
        const read = answer(tokenizer, { ...options, seed }, (allowed) => {
          return allowed[random() % allowed.length];
        });
        expect(read.calls).toHaveLength(1);
        if (typeof options.toolChoice === "object") expect(read.calls[0]?.arguments).toMatch(/^\{\s*\}$/);
        expectValid(read);
      }
  });

  it("what the template writes as a call is read as that call, after a text", () => {
    const call = { id: "abcdefghi", name: "get_weather", arguments: '{"city": "Züri", "days": 2}' };
    const messages = [
      { role: "user", content: "?" },
      { role: "assistant", content: "", toolCalls: [call] },
    ] as const;
    const ask = [{ role: "user", content: "?" }] as const;
    const prompt = tokenizer.encodeChat(ask, { addGenerationPrompt: true });
    const whole = tokenizer.encodeChat(messages, { addGenerationPrompt: false });
    let same = 0;
    while (whole[same] === prompt[same]) same++;
    const ids = whole.slice(same);
    const ends = ids.findIndex((id) => /^(<\/s>|<\|im_end\|>)$/.test(tokenizer.tokenText(id)));
    const rendered = tokenizer.decode(ids.slice(0, ends < 0 ? undefined : ends), { skipSpecial: false });
    // The call as the constraint lets it be written: with the id that it gives.
    const begins = !/Llama/.test(name) ? "I look. " : "";
    const ourId = answer(tokenizer, { seed: 5, toolChoice: "required" }, (allowed) => allowed[0]).calls[0]
      ?.id;
    const written = rendered.replace(/^.*assistant<\|end_header_id\|>\n\n/s, "").replace("<|eot_id|>", "");
    const script = tokenizer.encode(begins + written.replace(call.id, ourId as string), { bos: false });
    const read = answer(tokenizer, { seed: 5 }, (_, taken) => script[taken.length] ?? tokenizer.eosId);
    expect(read.calls).toEqual([{ ...call, id: ourId }]);
    expect(read.text.replace(/<think>\s*<\/think>/, "").trim()).toBe(begins.trim());
  });
});

test.each(Object.entries(WIRES))(
  "%s: a thought that the prompt opened comes before a call",
  (_, [template, without]) => {
    const opens = "{#- </think> #}{%- if add_generation_prompt %}{{- '<think>\\n' }}{%- endif %}";
    const { tokenizer } = toolTokenizer(template + opens, without);
    const prompt = tokenizer.encodeChat([{ role: "user", content: "?" }]);
    const [V, endIds] = [tokenizer.size, new Set([tokenizer.eosId as number])];
    // A call in the thought is none.
    const thought = [
      ...tokenizer.encode('I look. <tool_call> [TOOL_CALLS] [{"name": "get_weather', { bos: false }),
    ];
    const close = tokenizer.encode("</think>", { bos: false });
    for (const toolChoice of ["required", "auto"] as const) {
      const parts = { tokenizer, V, endIds, thinks: true };
      const { constraint, calls } = answerCalls({ ids: prompt, tools }, { toolChoice, seed: 1 }, parts)!;
      const text = new AnswerText(tokenizer.stream(), {}, thinkingAfter(prompt, tokenizer, false), calls);
      const script = [...thought, ...close];
      if (toolChoice === "auto") script.push(...tokenizer.encode("Hello.", { bos: false }));
      const random = randomU32(11);
      const said = { reasoning: "", text: "", calls: "" };
      for (let i = 0; !constraint.complete && (i < script.length || toolChoice === "required"); i++) {
        const mask = constraint.mask();
        const allowed = [...Array(V).keys()].filter((id) => ((mask[id >>> 5]! >>> (id & 31)) & 1) === 1);
        if (i < thought.length) expect(allowed).not.toContain(tokenizer.eosId);
        const id = script[i] ?? allowed[random() % allowed.length]!;
        expect(allowed).toContain(id);
        if (i >= script.length && endIds.has(id)) break;
        constraint.accept(id);
        const piece = text.push({ id }, Boolean(constraint.complete));
        said.reasoning += piece.reasoning ?? "";
        said.text += piece.text;
        for (const call of piece.toolCalls ?? []) if (call.index === 0) said.calls += call.arguments;
      }
      expect(said.reasoning).toContain("I look.");
      expect(said.text).toBe(toolChoice === "auto" ? "Hello." : "");
      if (toolChoice === "auto") expect(said.calls).toBe("");
      else expect(JSON.parse(said.calls)).toBeTypeOf("object");
    }
  },
);

test("arguments are an object: another type is refused, or left out of a list", () => {
  const asked = (type: unknown) => [{ name: "f", parameters: { type } as JsonSchema }];
  const texts = asked("string");
  expect(() => callGrammar(texts, texts)).toThrow('tools[0].parameters: $.type: expected "object"');
  const { tokenizer } = toolTokenizer(readTemplate("qwen3"));
  const random = randomU32(3);
  for (let seed = 0; seed < 6; seed++) {
    const options = { tools: asked(["string", "null", "object"]), toolChoice: "required", seed } as const;
    const read = answer(tokenizer, options, (allowed) => allowed[random() % allowed.length]);
    expect(read.calls.length).toBeGreaterThan(0);
    for (const call of read.calls) expect(JSON.parse(call.arguments)).toBeTypeOf("object");
  }
});

test("an answer without a call stays as it is", () => {
  for (const [template, without] of Object.values(WIRES)) {
    const { tokenizer } = toolTokenizer(template, without);
    for (const text of ["Hello.", '{"name":"nobody"}', '[{"name"', '{"a": 1}', "a <tool> b <"]) {
      const script = tokenizer.encode(text, { bos: false });
      const read = answer(tokenizer, {}, (_, taken) => script[taken.length] ?? tokenizer.eosId);
      expect(read.text).toBe(text);
      expect(read.calls).toEqual([]);
    }
  }
});

test("Mistral 7B v0.3 may spell the list without its token", () => {
  const { tokenizer } = toolTokenizer(readTemplate("v0.3"));
  const id = answer(tokenizer, { seed: 5, toolChoice: "required" }, (allowed) => allowed[0]).calls[0]?.id;
  const script = tokenizer.encode(`[{"name": "get_weather_2", "arguments": {}, "id": "${id}"}]`, {
    bos: false,
  });
  const read = answer(tokenizer, { seed: 5 }, (_, taken) => script[taken.length]);
  expect([read.text, read.calls]).toEqual(["", [{ id, name: "get_weather_2", arguments: "{}" }]]);
});

test("schemas that cannot be held to are refused with their path, and unknown formats in words", () => {
  const { tokenizer } = toolTokenizer(readTemplate("v0.3"));
  const odd = [
    { name: "odd", parameters: { type: "object", properties: { a: { unevaluatedItems: false } } } },
  ];
  expect(() => answer(tokenizer, { tools: odd }, () => undefined)).toThrow(
    expect.objectContaining({ parameter: "tools[0].parameters" }),
  );
  const other = toolTokenizer("{{ tools }}").tokenizer;
  expect(() => answer(other, {}, () => undefined)).toThrow("with another chat template");
});

test("arguments that cannot be held to are refused by the tool and the place in its schema", () => {
  const parameters = { properties: { list: { type: "array", items: { not: { type: "null" } } } } };
  const asked = [...tools, { name: "f", parameters }];
  expect(() => callGrammar(asked, asked)).toThrow(
    "tools[2].parameters: $.properties.list.items.not: expected a keyword that can be held to",
  );
});
