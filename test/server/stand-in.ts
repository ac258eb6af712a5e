// A model of paper: characters are its tokens, its answers are given, and a test says when each piece comes.
import type { Chunk, GenerateOptions, Message, Model } from "../../engine/node.ts";
import { plan } from "../cli/fakes.ts";

export interface StandInOptions {
  /** Of each answer. */
  readonly pieces?: readonly string[];
  /** Waited for before each piece. */
  readonly before?: (piece: number) => Promise<void> | void;
  /** Thrown in place of the piece of this number. */
  readonly failAt?: number;
  readonly error?: Error;
}

export interface Call {
  readonly prompt: string;
  readonly options: GenerateOptions;
  /** How many pieces were taken from it, and whether it is over. */
  pieces: number;
  over: boolean;
}

export interface StandIn {
  readonly model: Model;
  readonly calls: Call[];
  /** Answers that were begun and are not over. */
  readonly running: () => number;
}

/** "<s>", then a character each. */
const encode = (text: string): number[] => [1, ...Array.from(text, (char) => char.charCodeAt(0))];
const decode = (ids: readonly number[]): string =>
  ids.map((id) => (id > 2 ? String.fromCharCode(id) : "")).join("");

export function standIn(given: StandInOptions = {}): StandIn {
  const {
    pieces = ["There ", "was ", "a ", "cat."],
    before,
    failAt,
    error = new Error("Out of paper."),
  } = given;
  const calls: Call[] = [];

  async function* answer(
    ids: readonly number[],
    options: GenerateOptions,
  ): AsyncGenerator<Chunk, void, void> {
    const call: Call = { prompt: decode(ids), options, pieces: 0, over: false };
    calls.push(call);
    const { signal, maxTokens = Infinity, topLogProbs } = options;
    const gone = aborted(signal);
    const finish = (reason: "stop" | "length" | "abort") => ({
      reason,
      promptTokens: ids.length,
      cachedTokens: 1,
      completionTokens: call.pieces,
      waitedMs: 0,
      prefillMs: 2,
      decodeMs: 10,
    });
    try {
      for (const text of pieces.slice(0, maxTokens)) {
        if (call.pieces === failAt) throw error;
        await Promise.race([before?.(call.pieces), ...(before ? [gone] : [])]);
        if (signal?.aborted) return yield { text: "", ids: [], finish: finish("abort") };
        call.pieces++;
        const token = { id: 65, text, bytes: [...Buffer.from(text)], logProb: -0.5 };
        const likely =
          topLogProbs === undefined ? {} : { logProbs: [{ ...token, top: [token].slice(0, topLogProbs) }] };
        yield { text, ids: [65], ...likely };
      }
      yield { text: "", ids: [], finish: finish(pieces.length > maxTokens ? "length" : "stop") };
    } finally {
      call.over = true;
    }
  }

  const render = (messages: readonly Message[]) => messages.map(({ content }) => content).join("\n");
  const model = {
    config: { V: 2 ** 16, W: null, maxPositions: 4096 },
    plan,
    contextLength: 4096,
    chat: (messages: readonly Message[], options: GenerateOptions = {}) =>
      answer(encode(render(messages)), options),
    generate: (prompt: string | readonly number[], options: GenerateOptions = {}) =>
      answer(typeof prompt === "string" ? encode(prompt) : prompt, options),
    score: async (ids: readonly number[]) => ({
      logProbs: Float32Array.from(ids.slice(1), (_, i) => -1 - i),
      perplexity: 1,
    }),
    encode: async (text: string) => encode(text),
    encodeChat: async (messages: readonly Message[]) => encode(render(messages)),
    decode: async (ids: readonly number[]) => decode(ids),
    activity: async () => ({
      ...{ parallel: 1, running: 0, waiting: 0, rings: 2, cacheSlots: 100, cachedTokens: 50 },
      ...{ steps: 10, stepRows: 25, prefillTokens: 0, reusedTokens: 0, decodedTokens: 0 },
    }),
    dispose: () => {},
  } as unknown as Model;
  return { model, calls, running: () => calls.filter(({ over }) => !over).length };
}

const aborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener("abort", () => resolve(), { once: true });
  });

/** A gate that is shut until it is opened. */
export function gate(): { readonly wait: () => Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { wait: () => opened, open: () => open() };
}
