// A Model without a GPU, for tests of what uses a model. A test sets its answers, and when each piece is
// made.

import { extract } from "../engine/extract.ts";
import { moderate } from "../engine/guard/moderate.ts";
import type {
  AdapterDescription,
  Chunk,
  Finish,
  GenerateOptions,
  LikelyToken,
  Message,
  Model,
  Plan,
} from "../engine/node.ts";
import { wholeAnswer } from "../engine/whole-answer.ts";

export const adapter: AdapterDescription = {
  name: "Paper GPU",
  vendor: "acme",
  architecture: "origami",
  driver: "535.1",
  software: false,
  features: ["subgroups", "shader-f16"],
  maxBindingBytes: 128 * 2 ** 20,
  maxBufferBytes: 2 ** 31,
  maxWorkgroupBytes: 2 ** 14,
  maxWorkgroupThreads: 256,
};

export const plan: Plan = {
  weights: "q4",
  weightBytes: 4_000_000_000,
  cache: "f16",
  cacheBytes: 512 * 2 ** 20,
  scratchBytes: 3 * 2 ** 20,
  totalBytes: 4_000_000_000 + 515 * 2 ** 20,
  largestBindingBytes: 100 * 2 ** 20,
  adapter,
  contextLength: 4096,
  rings: 1,
  cacheSlots: 4352,
  parallel: 1,
  chunkLength: 256,
  checkpointBytes: 14_500_000_000,
  parameters: 7_241_732_096,
};

type Input = string | readonly number[] | readonly Message[];

/** A call of `generate` or `chat`. */
export interface FakeCall {
  readonly input: Input;
  /** The input as text: ids are characters, messages a line each. */
  readonly prompt: string;
  readonly options: GenerateOptions;
  /** Pieces made so far. */
  pieces: number;
  /** How the answer ended; undefined while it runs. `left`: its reader broke off, or it failed. */
  end: Finish["reason"] | "left" | undefined;
}

export interface FakeModelOptions {
  /** The pieces of each answer, one token each, or what makes them. */
  readonly pieces?: Iterable<string> | ((prompt: string, options: GenerateOptions) => Iterable<string>);
  /** What each answer thinks before its pieces, one token each. */
  readonly thoughts?: readonly string[];
  /** Awaited before each piece; an abort ends the wait. An error that it throws ends the answer. */
  readonly before?: (piece: number) => unknown;
  /** Fields of `finish` in place of the default ones. */
  readonly finish?: (pieces: number) => Partial<Finish>;
  readonly contextLength?: number;
  /** The label of a text, for `classify`. Default: the first. It gets the probability 0.9. */
  readonly labelOf?: (text: string, labels: readonly string[]) => string;
}

export interface FakeModel {
  readonly model: Model;
  /** All calls of `generate` and `chat` so far. */
  readonly calls: FakeCall[];
  /** Answers that have begun and not ended. */
  readonly running: () => number;
  /** The largest `running()` so far. */
  readonly mostRunning: () => number;
}

export function fakeModel({
  pieces = ["There ", "was ", "a ", "cat."],
  thoughts = [],
  before,
  finish: given = () => ({}),
  contextLength = 4096,
  labelOf = (_, [first = ""]) => first,
}: FakeModelOptions = {}): FakeModel {
  const calls: FakeCall[] = [];
  let running = 0;
  let mostRunning = 0;

  // One at a time: an answer may have no end.
  function* all(prompt: string, options: GenerateOptions): Generator<string, void, void> {
    yield* thoughts;
    yield* typeof pieces === "function" ? pieces(prompt, options) : pieces;
  }

  async function* answer(input: Input, options: GenerateOptions): AsyncGenerator<Chunk, void, void> {
    const prompt = textOf(input);
    const call: FakeCall = { input, prompt, options, pieces: 0, end: undefined };
    const { signal, maxTokens = Infinity, topLogProbs } = options;
    const finish = (reason: Finish["reason"]): Chunk => {
      call.end = reason;
      const counts = { promptTokens: encode(prompt).length, cachedTokens: 1, completionTokens: call.pieces };
      const times = { waitedMs: 0, prefillMs: 2, decodeMs: 10 };
      const thought = thoughts.length > 0 && { reasoningTokens: Math.min(call.pieces, thoughts.length) };
      return {
        text: "",
        ids: [],
        finish: { reason, ...counts, ...thought, ...times, ...given(call.pieces) },
      };
    };
    calls.push(call);
    mostRunning = Math.max(mostRunning, ++running);
    const gone = aborted(signal);
    try {
      for (const text of all(prompt, options)) {
        if (call.pieces === maxTokens) return yield finish("length");
        const wait = before?.(call.pieces);
        if (wait) await Promise.race([wait, gone]);
        if (signal?.aborted) return yield finish("abort");
        const id = call.pieces++;
        if (id < thoughts.length) {
          yield { text: "", reasoning: text, ids: [id] };
          continue;
        }
        const token = { id, text, bytes: [...Buffer.from(text)], logProb: -0.5 };
        const logProbs = [{ ...token, top: [token].slice(0, topLogProbs) }];
        yield { text, ids: [id], ...(topLogProbs === undefined ? {} : { logProbs }) };
      }
      yield finish("stop");
    } finally {
      call.end ??= "left";
      running--;
    }
  }

  const model: Model = {
    config: { V: 2 ** 16, W: null, maxPositions: contextLength } as Model["config"],
    ...{ plan, adapter, contextLength },
    adapters: [],
    openai: {
      get chat() {
        return missing();
      },
    },
    generate: (prompt, options = {}) => answer(prompt, options),
    chat: (messages, options = {}) => answer(messages, options),
    answer: (messages, options = {}) => wholeAnswer(model.chat(messages, options), options.signal),
    extract: (messages, schema, options = {}) => extract(model, messages, schema, options),
    encode: async (text) => encode(text),
    encodeChat: async (messages) => encode(textOf(messages)),
    decode: async (ids) => textOf(ids),
    tokenizerInfo: async () => ({ bosToken: "<s>", eosToken: "</s>" }),
    classify: async (input, labels) => {
      const text = textOf(input);
      const label = labelOf(text, labels) as (typeof labels)[number];
      const other = 0.1 / (labels.length - 1);
      const probabilities = labels.map((each) => [each, each === label ? 0.9 : other]);
      const counts = { promptTokens: encode(text).length, cachedTokens: 0 };
      return { label, probabilities: Object.fromEntries(probabilities), ...counts };
    },
    moderate: (text, options = {}) => moderate(model, text, options),
    // Each token is the second likeliest, after the one before it in the alphabet.
    score: async (input, { topLogProbs } = {}) => {
      const ids = encode(textOf(input)).slice(1);
      const logProbs = Float32Array.from(ids, (_, i) => -1 - i);
      const likely = (id: number, logProb: number): LikelyToken => {
        const text = String.fromCharCode(id);
        return { id, text, bytes: [...Buffer.from(text)], logProb };
      };
      const top = ids.map((id, i) => [likely(id - 1, -0.5), likely(id, -1 - i)].slice(0, topLogProbs));
      return {
        logProbs,
        ranks: Uint32Array.from(ids, () => 2),
        perplexity: 1,
        ...(topLogProbs !== undefined && { top }),
      };
    },
    activity: async () => ({
      ...{ parallel: 1, running: 0, waiting: 0, rings: 2, cacheSlots: 100, cachedTokens: 50 },
      ...{ steps: 10, stepRows: 25, prefillTokens: 0, reusedTokens: 0, decodedTokens: 0 },
    }),
    ...{ logits: missing, profile: missing, attention: missing, candidates: missing },
    ...{ saveSession: missing, restoreSession: missing, addAdapter: missing, removeAdapter: missing },
    dispose: () => {},
  };
  return { model, calls, running: () => running, mostRunning: () => mostRunning };
}

const missing = (): never => {
  throw new Error("the fake model has no such call");
};

const BOS = 1;

/** A beginning-of-sequence token, then a token a character. */
const encode = (text: string): number[] => [BOS, ...Array.from(text, (_, i) => text.charCodeAt(i))];

function textOf(input: Input): string {
  if (typeof input === "string") return input;
  return input
    .map((each) => (typeof each !== "number" ? each.content : each > 2 ? String.fromCharCode(each) : ""))
    .join(typeof input[0] === "number" ? "" : "\n");
}

/** A `before` that fails in place of one piece. */
export const failAt =
  (piece: number, error = new Error("Out of paper.")) =>
  (at: number): void => {
    if (at === piece) throw error;
  };

/** Resolves when `signal` is aborted; never, if there is none. */
export const aborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener("abort", () => resolve(), { once: true });
  });
