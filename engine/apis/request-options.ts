// Every option of an answer: its name in each dialect, its bounds, its default, and the values that ask for
// nothing. One table and one reader for OpenAI's chat and text completions, Workers AI and the AI SDK.
import { isObject } from "../../weights/json.ts";
import type { AnswerOptions } from "../api.ts";
import { outOfRange, shown, unsupported, wrongType } from "../options/parameter.ts";
import { type AskedFormat, type Dialect, formatNames } from "./answer-format.ts";
import { type Given, isNothing } from "./quiet-fields.ts";

interface Bounds {
  readonly min?: number;
  readonly max?: number;
  /** Used if the request has none. Default: the engine's own. */
  readonly default?: number;
}

interface NumberRow {
  readonly option: Exclude<keyof AnswerOptions, "stop" | "logitBias" | "signal" | "ignoreEos" | "format">;
  readonly names: Partial<Record<Dialect, readonly string[]>>;
  readonly whole?: true;
  /** A value that asks for nothing, as in llama.cpp and vLLM. */
  readonly none?: -1;
  readonly min: number;
  readonly max: number;
  /** Bounds of dialects that have their own. */
  readonly own?: Partial<Record<Dialect, Bounds>>;
}

const same = (name: string, aiSdk?: string): NumberRow["names"] => ({
  ...{ chat: [name], text: [name], workersAi: [name] },
  ...(aiSdk && { aiSdk: [aiSdk] }),
});

/**
 * The bounds of Workers AI are those of Cloudflare's schema for @cf/mistral/mistral-7b-instruct-v0.1, with
 * two exceptions. The schema has no minimum of `max_tokens`, and its minimum of `repetition_penalty` is 0, by
 * which no logit can be divided.
 */
const NUMBERS: readonly NumberRow[] = [
  {
    option: "maxTokens",
    names: {
      ...same("max_tokens", "maxOutputTokens"),
      chat: ["max_completion_tokens", "max_tokens"],
    },
    ...{ whole: true, none: -1, min: 1, max: Infinity },
    own: { text: { min: 0, default: 16 }, workersAi: { default: 256 }, aiSdk: { min: 0 } },
  },
  {
    option: "temperature",
    names: same("temperature", "temperature"),
    ...{ min: 0, max: 2 },
    own: {
      ...{ chat: { default: 1 }, text: { default: 1 } },
      ...{ workersAi: { max: 5, default: 0.6 }, aiSdk: { max: Infinity } },
    },
  },
  {
    option: "topP",
    names: same("top_p", "topP"),
    ...{ min: 0, max: 1 },
    own: { chat: { default: 1 }, text: { default: 1 }, workersAi: { max: 2, default: 1 } },
  },
  {
    option: "topK",
    names: same("top_k", "topK"),
    ...{ whole: true, none: -1, min: 0, max: Infinity },
    own: { workersAi: { min: 1, max: 50 } },
  },
  {
    option: "minP",
    names: { chat: ["min_p"], text: ["min_p"] },
    ...{ min: 0, max: 1 },
  },
  {
    option: "repetitionPenalty",
    names: same("repetition_penalty"),
    ...{ min: 0.001, max: 1000 },
    own: { workersAi: { max: 2 } },
  },
  {
    option: "frequencyPenalty",
    names: same("frequency_penalty", "frequencyPenalty"),
    ...{ min: -2, max: 2 },
    own: { workersAi: { min: 0 }, aiSdk: { min: -1000, max: 1000 } },
  },
  {
    option: "presencePenalty",
    names: same("presence_penalty", "presencePenalty"),
    ...{ min: -2, max: 2 },
    own: { workersAi: { min: 0 }, aiSdk: { min: -1000, max: 1000 } },
  },
  {
    option: "seed",
    names: same("seed", "seed"),
    ...{ whole: true, none: -1, min: 0, max: Number.MAX_SAFE_INTEGER },
    own: { workersAi: { min: 1, max: 9_999_999_999 } },
  },
  {
    option: "topLogProbs",
    names: { chat: ["top_logprobs"], text: ["logprobs"] },
    ...{ whole: true, min: 0, max: 20 },
    own: { text: { max: 5 } },
  },
];

const LISTS: Partial<
  Record<Dialect, { readonly stop: string; readonly max: number; readonly bias?: string }>
> = {
  chat: { stop: "stop", max: 16, bias: "logit_bias" },
  text: { stop: "stop", max: 16, bias: "logit_bias" },
  aiSdk: { stop: "stopSequences", max: Infinity },
};

/** The names of all options of a dialect. */
export const optionNames = (dialect: Dialect): readonly string[] => [
  ...NUMBERS.flatMap(({ names }) => names[dialect] ?? []),
  ...(LISTS[dialect] ? [LISTS[dialect].stop, LISTS[dialect].bias ?? LISTS[dialect].stop] : []),
  ...formatNames(dialect),
];

/**
 * @param asked what `readFormat` has read
 * @throws TypeError or RangeError with `parameter`, the name of the field in this dialect
 */
export function readOptions(given: Given, dialect: Dialect, asked?: AskedFormat): AnswerOptions {
  const options: Record<string, unknown> = {};
  for (const row of NUMBERS) {
    const value = readRow(given, row, dialect);
    if (value !== undefined) options[row.option] = value;
  }
  const lists = LISTS[dialect];
  const stop = lists && readStop(given[lists.stop], lists.stop, lists.max);
  const bias = lists?.bias === undefined ? undefined : readBias(given[lists.bias], lists.bias);
  if (asked && lists && stop !== undefined)
    throw unsupported(lists.stop, `${lists.stop}: expected none with ${asked.field}, got one. Leave it out.`);
  return {
    ...options,
    ...(stop !== undefined && { stop }),
    ...(bias && { logitBias: bias }),
    ...(asked && { format: asked.format }),
  };
}

function readRow(given: Given, row: NumberRow, dialect: Dialect): number | undefined {
  const { names, whole = false, none, own } = row;
  const bounds: Required<Omit<Bounds, "default">> & Bounds = { ...row, ...own?.[dialect] };
  const asked = (names[dialect] ?? []).flatMap((name) => {
    const value = given[name];
    return isNothing(value) || value === none ? [] : [[name, value] as const];
  });
  const [first, second] = asked;
  if (first && second) throw wrongType(second[0], `expected it or ${first[0]}, got both. Leave one out.`);
  if (!first) return names[dialect] && bounds.default;
  const value = readNumber(first[1], first[0], whole, bounds.min, bounds.max);
  return row.option === "topP" ? Math.min(value, 1) : value;
}

export function readNumber(value: unknown, name: string, whole: boolean, min: number, max: number): number {
  const range = max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;
  const expected = `expected a ${whole ? "whole " : ""}number ${range}, got ${shown(value)}.`;
  if (typeof value !== "number") throw wrongType(name, expected);
  const fits = Number.isFinite(value) && value >= min && value <= max && (!whole || Number.isInteger(value));
  if (!fits) throw outOfRange(name, expected);
  return value;
}

/** @returns `otherwise` if the field asks for nothing */
export function readFlag(given: Given, name: string, otherwise = false): boolean {
  const value = given[name];
  if (typeof value === "boolean") return value;
  if (isNothing(value)) return otherwise;
  throw wrongType(name, `expected true or false, got ${shown(value)}.`);
}

export function readText(given: Given, name: string): string | undefined {
  const value = given[name];
  if (isNothing(value)) return undefined;
  if (typeof value === "string") return value;
  throw wrongType(name, `expected a text, got ${shown(value)}.`);
}

function readStop(value: unknown, name: string, max: number): string | readonly string[] | undefined {
  if (isNothing(value)) return undefined;
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) throw wrongType(name, `expected a text or texts, got ${shown(value)}.`);
  if (value.length > max) throw outOfRange(name, `expected at most ${max} texts, got ${value.length}.`);
  for (const [i, each] of value.entries()) {
    if (typeof each !== "string" || each === "")
      throw wrongType(`${name}[${i}]`, `expected a text of at least one character, got ${shown(each)}.`);
  }
  return value;
}

function readBias(value: unknown, name: string): Record<string, number> | undefined {
  if (isNothing(value)) return undefined;
  if (!isObject(value)) throw wrongType(name, `expected numbers by token id, got ${shown(value)}.`);
  for (const [id, bias] of Object.entries(value)) {
    if (!/^\d{1,9}$/.test(id)) {
      const field = `${name}.${id.slice(0, 40)}`;
      throw wrongType(field, `expected a token id for a name, got ${shown(id)}.`);
    }
    readNumber(bias, `${name}.${id}`, false, -100, 100);
  }
  return { ...value } as Record<string, number>;
}
