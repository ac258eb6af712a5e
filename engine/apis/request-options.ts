// Every option of an answer: its name in each dialect, its bounds, its default, and the values that ask for
// nothing. One table and one reader for OpenAI's chat and text completions, Workers AI and the AI SDK.
import { isObject } from "../../weights/json.ts";
import type { AnswerOptions } from "../api.ts";
import { outOfRange, shown, wrongType } from "../options/parameter.ts";
import { type Given, isNothing } from "./quiet-fields.ts";

export type Dialect = "chat" | "text" | "workersAi" | "aiSdk";

interface Bounds {
  readonly least?: number;
  readonly most?: number;
  /** Used if the request has none. Default: the engine's own. */
  readonly usual?: number;
}

interface NumberRow {
  readonly option: Exclude<keyof AnswerOptions, "stop" | "logitBias" | "signal" | "ignoreEos">;
  readonly names: Partial<Record<Dialect, readonly string[]>>;
  readonly whole?: true;
  /** A value that asks for nothing, as in llama.cpp and vLLM. */
  readonly none?: -1;
  readonly least: number;
  readonly most: number;
  /** Bounds of dialects that have their own. */
  readonly own?: Partial<Record<Dialect, Bounds>>;
}

const same = (name: string, aiSdk?: string): NumberRow["names"] => ({
  ...{ chat: [name], text: [name], workersAi: [name] },
  ...(aiSdk && { aiSdk: [aiSdk] }),
});

/**
 * The bounds of Workers AI are those of Cloudflare's schema for @cf/mistral/mistral-7b-instruct-v0.1, with two
 * exceptions. The schema has no minimum of `max_tokens`, and its minimum of `repetition_penalty` is 0, by which
 * no logit can be divided.
 */
const NUMBERS: readonly NumberRow[] = [
  {
    option: "maxTokens",
    names: {
      ...same("max_tokens", "maxOutputTokens"),
      chat: ["max_completion_tokens", "max_tokens"],
    },
    ...{ whole: true, none: -1, least: 1, most: Infinity },
    own: { text: { least: 0, usual: 16 }, workersAi: { usual: 256 }, aiSdk: { least: 0 } },
  },
  {
    option: "temperature",
    names: same("temperature", "temperature"),
    ...{ least: 0, most: 2 },
    own: {
      ...{ chat: { usual: 1 }, text: { usual: 1 } },
      ...{ workersAi: { most: 5, usual: 0.6 }, aiSdk: { most: Infinity } },
    },
  },
  {
    option: "topP",
    names: same("top_p", "topP"),
    ...{ least: 0, most: 1 },
    own: { workersAi: { most: 2 } },
  },
  {
    option: "topK",
    names: same("top_k", "topK"),
    ...{ whole: true, none: -1, least: 0, most: Infinity },
    own: { workersAi: { least: 1, most: 50 } },
  },
  {
    option: "minP",
    names: { chat: ["min_p"], text: ["min_p"] },
    ...{ least: 0, most: 1 },
  },
  {
    option: "repetitionPenalty",
    names: same("repetition_penalty"),
    ...{ least: 0.001, most: 1000 },
    own: { workersAi: { most: 2 } },
  },
  {
    option: "frequencyPenalty",
    names: same("frequency_penalty", "frequencyPenalty"),
    ...{ least: -2, most: 2 },
    own: { workersAi: { least: 0 }, aiSdk: { least: -1000, most: 1000 } },
  },
  {
    option: "presencePenalty",
    names: same("presence_penalty", "presencePenalty"),
    ...{ least: -2, most: 2 },
    own: { workersAi: { least: 0 }, aiSdk: { least: -1000, most: 1000 } },
  },
  {
    option: "seed",
    names: same("seed", "seed"),
    ...{ whole: true, none: -1, least: 0, most: Number.MAX_SAFE_INTEGER },
    own: { workersAi: { least: 1, most: 9_999_999_999 } },
  },
  {
    option: "topLogProbs",
    names: { chat: ["top_logprobs"], text: ["logprobs"] },
    ...{ whole: true, least: 0, most: 20 },
    own: { text: { most: 5 } },
  },
];

const LISTS: Partial<
  Record<Dialect, { readonly stop: string; readonly most: number; readonly bias?: string }>
> = {
  chat: { stop: "stop", most: 16, bias: "logit_bias" },
  text: { stop: "stop", most: 16, bias: "logit_bias" },
  aiSdk: { stop: "stopSequences", most: Infinity },
};

/** The names of all options of a dialect. */
export const optionNames = (dialect: Dialect): readonly string[] => [
  ...NUMBERS.flatMap(({ names }) => names[dialect] ?? []),
  ...(LISTS[dialect] ? [LISTS[dialect].stop, LISTS[dialect].bias ?? LISTS[dialect].stop] : []),
];

/** @throws TypeError or RangeError with `parameter`, the name of the field in this dialect */
export function readOptions(given: Given, dialect: Dialect): AnswerOptions {
  const options: Record<string, unknown> = {};
  for (const row of NUMBERS) {
    const value = readRow(given, row, dialect);
    if (value !== undefined) options[row.option] = value;
  }
  const lists = LISTS[dialect];
  const stop = lists && readStop(given[lists.stop], lists.stop, lists.most);
  const bias = lists?.bias === undefined ? undefined : readBias(given[lists.bias], lists.bias);
  return { ...options, ...(stop !== undefined && { stop }), ...(bias && { logitBias: bias }) };
}

function readRow(given: Given, row: NumberRow, dialect: Dialect): number | undefined {
  const { names, whole = false, none, own } = row;
  const bounds: Required<Omit<Bounds, "usual">> & Bounds = { ...row, ...own?.[dialect] };
  const asked = (names[dialect] ?? []).flatMap((name) => {
    const value = given[name];
    return isNothing(value) || value === none ? [] : [[name, value] as const];
  });
  const [first, second] = asked;
  if (first && second) throw wrongType(second[0], `expected it or ${first[0]}, got both. Leave one out.`);
  if (!first) return names[dialect] && bounds.usual;
  const value = readNumber(first[1], first[0], whole, bounds.least, bounds.most);
  return row.option === "topP" ? Math.min(value, 1) : value;
}

export function readNumber(
  value: unknown,
  name: string,
  whole: boolean,
  least: number,
  most: number,
): number {
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  const expected = `expected a ${whole ? "whole " : ""}number ${range}, got ${shown(value)}.`;
  if (typeof value !== "number") throw wrongType(name, expected);
  const fits =
    Number.isFinite(value) && value >= least && value <= most && (!whole || Number.isInteger(value));
  if (!fits) throw outOfRange(name, expected);
  return value;
}

/** @returns `usual` if the field asks for nothing */
export function readFlag(given: Given, name: string, usual = false): boolean {
  const value = given[name];
  if (typeof value === "boolean") return value;
  if (isNothing(value)) return usual;
  throw wrongType(name, `expected true or false, got ${shown(value)}.`);
}

export function readText(given: Given, name: string): string | undefined {
  const value = given[name];
  if (isNothing(value)) return undefined;
  if (typeof value === "string") return value;
  throw wrongType(name, `expected a text, got ${shown(value)}.`);
}

function readStop(value: unknown, name: string, most: number): string | readonly string[] | undefined {
  if (isNothing(value)) return undefined;
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) throw wrongType(name, `expected a text or texts, got ${shown(value)}.`);
  if (value.length > most) throw outOfRange(name, `expected at most ${most} texts, got ${value.length}.`);
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
