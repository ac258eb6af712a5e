// Every option of the public calls, and its type and range. Ranges that depend on the model are checked when
// the model is known. The ranges of sampling options are in the kernel's `samplingParams`.
import { cacheFormats, MAX_LIKELIEST, samplingParams, weightFormats } from "../../kernels/index.ts";
import type {
  AnswerOptions,
  AttentionOptions,
  CallOptions,
  CandidatesOptions,
  ChatOptions,
  EncodeChatOptions,
  EncodeTextOptions,
  GenerateOptions,
  KernelOptions,
  LoadOptions,
  PassOptions,
  SaveSessionOptions,
  ScoreOptions,
} from "../api.ts";
import {
  adapter,
  bias,
  callback,
  checkOptions,
  flag,
  isPlain,
  number,
  object,
  oneOf,
  type Rules,
  signal,
  stop,
  text,
  whole,
} from "./check.ts";
import { MAX_THREADS } from "./defaults.ts";
import { shown, unsupported, wrongType } from "./parameter.ts";

/** What they hold is checked with the chat template. */
const toolRules = {
  tools: { expected: "a list of tools", hasType: Array.isArray },
  toolChoice: {
    expected: "a text or { name }",
    hasType: (value: unknown) => text.hasType(value) || isPlain(value),
  },
};
const answerRules: Rules<AnswerOptions> = {
  temperature: number,
  topK: number,
  topP: number,
  minP: number,
  repetitionPenalty: number,
  frequencyPenalty: number,
  presencePenalty: number,
  logitBias: bias,
  seed: number,
  maxTokens: whole(0),
  stop,
  format: object("an object, { type: ... }, or a schema"),
  adapter,
  ignoreEos: flag,
  topLogProbs: whole(0, 20),
  onProgress: callback,
  ...toolRules,
  parallelToolCalls: flag,
  signal,
};

const generateRules: Rules<GenerateOptions> = {
  ...answerRules,
  standalone: flag,
  separateReasoning: flag,
};
const chatRules: Rules<ChatOptions> = { ...answerRules, continueFinalMessage: flag, safePrompt: flag };

/** Of `parallel` and `rings`. A larger number is probably a typing error. */
const MAX_RINGS = 1024;

const kernelRules: Rules<KernelOptions> = { matvec: text, matmul: text, attention: text };

export const threads = whole(0, MAX_THREADS);

const loadRules: Rules<LoadOptions> = {
  weights: oneOf(["auto", ...Object.keys(weightFormats)]),
  cache: oneOf(["auto", ...Object.keys(cacheFormats)]),
  contextLength: whole(1),
  window: whole(1),
  onProgress: callback,
  signal,
  token: text,
  adapter: text,
  threads,
  unsafeFast: flag,
  device: object("a GPUDevice", "createBuffer"),
  parallel: whole(1, MAX_RINGS),
  rings: whole(1, MAX_RINGS),
  maxBindingBytes: whole(1),
  chunkLength: whole(1),
  tune: flag,
  kernels: object("an object of variants"),
  store: flag,
  takeOver: flag,
  adapters: {
    expected: "an object with a folder, an address, a name on the Hub, files or a Source by each name",
    hasType: (value) =>
      isPlain(value) &&
      Object.entries(value as object).every(
        ([name, from]) => name !== "" && (typeof from === "string" || Array.isArray(from) || isSource(from)),
      ),
  },
};

export const callRules: Rules<CallOptions> = { signal };
export const encodeRules: Rules<EncodeTextOptions> = { signal, bos: flag };
export const scoreRules: Rules<ScoreOptions> = {
  from: whole(1),
  topLogProbs: whole(0, MAX_LIKELIEST),
  adapter,
  signal,
};
export const passRules: Rules<PassOptions> = { signal, adapter };
export const attentionRules: Rules<AttentionOptions> = { layer: whole(0), head: whole(0), signal };
export const candidatesRules: Rules<CandidatesOptions> = { count: whole(1), adapter, signal };
export const saveSessionRules: Rules<SaveSessionOptions> = { conversation: whole(0) };
export const encodeChatRules: Rules<EncodeChatOptions> = {
  signal,
  continueFinalMessage: flag,
  safePrompt: flag,
  ...toolRules,
  onWarning: callback,
};

/** @throws TypeError, RangeError with `parameter` */
export function checkGenerate(call: "generate" | "chat", options: AnswerOptions): void {
  checkOptions(call, options, call === "chat" ? chatRules : generateRules);
  samplingParams(options, options.seed ?? 0);
  const { format, stop, ignoreEos } = options ?? {};
  if (!format) return;
  if (stop?.length)
    throw unsupported("stop", "stop: expected none with a format, which ends the answer. Leave it out.");
  if (ignoreEos) throw unsupported("ignoreEos", "ignoreEos: expected false with a format. Leave it out.");
}

/** @throws TypeError, RangeError with `parameter` */
export function checkLoad(call: string, options: LoadOptions): void {
  checkOptions(call, options, loadRules);
  checkOptions(`${call}, kernels`, options?.kernels, kernelRules);
}

/** @throws TypeError with `parameter` */
export function checkSource(source: unknown): void {
  if (source === undefined || typeof source === "string" || isSource(source)) return;
  const files = Array.isArray(source) || Object.prototype.toString.call(source) === "[object FileList]";
  const advice = files ? "Make files one by fileSource" : "Options come second";
  throw wrongType(
    "source",
    `expected a folder, an address, a name on the Hub or a Source, got ${shown(source)}. ${advice}.`,
  );
}

export const isSource = object("a Source", "read", "size").hasType;
