// A model of paper for load: each answer is a function of its prompt, a token a millisecond, and what became of it is kept.
import { setTimeout as sleep } from "node:timers/promises";
import type { Chunk, Finish, GenerateOptions, Message, Model } from "../../../engine/node.ts";
import { adapter, plan } from "../../cli/fakes.ts";

/** A prompt that begins like this has no end of its own. */
export const ENDLESS = "endless";
/** And one that begins like this has tokens of 16 kB. */
export const WIDE = `${ENDLESS} wide`;

export interface PaperAnswer {
  readonly prompt: string;
  /** Tokens made. */
  produced: number;
  /** undefined: it still runs. `left`: the reader broke off. */
  end: Finish["reason"] | "left" | undefined;
}

const CONTEXT = 8192;

/** What the paper model says to a prompt. */
export function paperText(prompt: string, maxTokens: number, seed = 0): { text: string; reason: string } {
  const length = lengthOf(prompt);
  const count = Math.min(length, maxTokens);
  const text = Array.from({ length: count }, (_, i) => token(prompt, seed, i)).join("");
  return { text, reason: count === length ? "stop" : "length" };
}

const lengthOf = (prompt: string): number =>
  prompt.startsWith(ENDLESS) ? Infinity : 4 + (hash(`${prompt} length`) % 40);

const token = (prompt: string, seed: number, index: number): string =>
  prompt.startsWith(WIDE) ? "w".repeat(16_384) : ` w${hash(`${prompt}|${seed}|${index}`).toString(36)}`;

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

export interface PaperModel extends Model {
  readonly answers: PaperAnswer[];
  readonly running: number;
  /** Most answers at once so far. */
  readonly most: number;
}

export function paperModel(): PaperModel {
  const answers: PaperAnswer[] = [];
  let running = 0;
  let most = 0;

  async function* answer(prompt: string, options: GenerateOptions): AsyncGenerator<Chunk, void, void> {
    const { maxTokens = 512, seed = 0, signal } = options;
    const record: PaperAnswer = { prompt, produced: 0, end: undefined };
    answers.push(record);
    most = Math.max(most, ++running);
    const length = lengthOf(prompt);
    const count = Math.min(length, maxTokens);
    const finish = (reason: Finish["reason"]): Chunk => {
      record.end = reason;
      const promptTokens = idsOf(prompt).length;
      const times = { waitedMs: 0, prefillMs: 1, decodeMs: record.produced };
      const completionTokens = record.produced;
      return {
        text: "",
        ids: [],
        finish: { reason, promptTokens, cachedTokens: 0, completionTokens, ...times },
      };
    };
    try {
      while (record.produced < count) {
        await sleep(1);
        if (signal?.aborted) return yield finish("abort");
        const index = record.produced++;
        yield { text: token(prompt, seed, index), ids: [index % 1000] };
      }
      yield finish(count === length ? "stop" : "length");
    } finally {
      record.end ??= "left";
      running--;
    }
  }

  const missing = (): never => {
    throw new Error("the paper model has no such call");
  };
  return {
    answers,
    get running() {
      return running;
    },
    get most() {
      return most;
    },
    config: { V: 65_536, W: null, maxPositions: CONTEXT } as Model["config"],
    ...{ plan, adapter, contextLength: CONTEXT },
    get openai() {
      return missing();
    },
    generate: (prompt, options = {}) => answer(typeof prompt === "string" ? prompt : textOf(prompt), options),
    chat: (messages, options = {}) => answer(promptOf(messages), options),
    encode: async (text) => idsOf(text),
    encodeChat: async (messages) => idsOf(promptOf(messages)),
    ...{ score: missing, logits: missing, profile: missing, attention: missing, candidates: missing },
    ...{ activity: missing, saveSession: missing, restoreSession: missing },
    decode: async (ids) => textOf(ids),
    dispose: () => {},
  };
}

const promptOf = (messages: readonly Message[]): string => messages.map(({ content }) => content).join("\n");

/** A beginning of sequence, then a token a character. */
const idsOf = (text: string): number[] => [0, ...Array.from(text, (_, i) => text.charCodeAt(i))];
const textOf = (ids: readonly number[]): string => String.fromCharCode(...ids.slice(ids[0] === 0 ? 1 : 0));
