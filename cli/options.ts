// Options that several commands have, and how they become options of the engine.
import { type Command, Option } from "commander";
import { DEFAULT_SAMPLING, MAX_THREADS } from "../engine/options/defaults.ts";
import { weightFormatNames } from "../kernels/formats/table.ts";
import type {
  AdapterChoice,
  AnswerFormat,
  CacheFormatName,
  GenerateOptions,
  LoadOptions,
  ScaledAdapter,
  WeightFormatName,
} from "./engine.ts";
import { modelNames } from "./model-names.ts";
import {
  type AdapterModel,
  adapterModels,
  cache,
  integer,
  logitBias,
  nonEmpty,
  number,
  seed,
  stop,
  topK,
  weights,
} from "./parse.ts";

const PENALTY = { min: -1000, max: 1000, words: "from -1000 to 1000" };

export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export interface ModelOptions extends OutputOptions {
  readonly model?: string;
  readonly adapter?: string;
  readonly threads?: number;
}

export interface LoadingOptions extends ModelOptions {
  /** False with --no-tune. */
  readonly tune?: boolean;
  readonly unsafeFast?: boolean;
  readonly weights: "auto" | WeightFormatName;
  readonly cache: "auto" | CacheFormatName;
  readonly context?: number;
  readonly window?: number;
  readonly adapterModel?: readonly AdapterModel[];
}

export interface SamplingOptions {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  readonly logitBias?: Readonly<Record<number, number>>;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly ignoreEos?: boolean;
}

/** Adds options to a command, below a heading of its help. */
export function addOptions(command: Command, heading: string, options: readonly Option[]): Command {
  for (const option of options) command.addOption(option.helpGroup(`${heading}:`));
  return command;
}

/** @param without what the command does without it */
export const addModelOption = (command: Command, without = "the embedded tiny model"): Command =>
  addOptions(command, "Model", [
    new Option(
      "-m, --model <source>",
      `a name (${modelNames.join(", ")}; \`sirocco models\` says more), a folder or .gguf file, its URL, or owner/name[@revision][/[folder/]file.gguf] on the Hugging Face Hub; what is here by that name comes first (default: ${without})`,
    ).argParser(nonEmpty("--model", "a name, a folder, a .gguf file, a URL or owner/name[@revision]")),
  ]);

/** `--model`, `--adapter` and `--threads`: which checkpoint, and who computes. */
export const addModelOptions = (command: Command): Command =>
  addOptions(addModelOption(command), "Model", [
    new Option(
      "--adapter <name>",
      "what computes: cpu, webgpu, or part of the name of a GPU or a driver that `sirocco info` prints (default: a GPU, or the CPU where there is none)",
    ).argParser(nonEmpty("--adapter", "part of an adapter's name")),
    new Option(
      "--threads <count>",
      "threads that compute where the CPU does; 0: the command's own (default: physical cores less one)",
    ).argParser(integer("--threads", { min: 0, max: MAX_THREADS, words: `from 0 to ${MAX_THREADS}` })),
  ]);

/** The model options, and those about formats and memory. */
export const addLoadingOptions = (command: Command): Command =>
  addOptions(addModelOptions(command), "Model", [
    new Option("-w, --weights <format>", `${weightFormatNames.join(", ")}, or auto: the most exact that fits`)
      .argParser(weights)
      .default("auto", "auto"),
    new Option(
      "--cache <format>",
      "keys and values in f32, f16, q8, or auto: f32 up to 512 MiB, then what fits",
    )
      .argParser(cache)
      .default("auto", "auto"),
    new Option(
      "-c, --context <tokens>",
      "maximum tokens of a conversation (default: the model's, up to 4096; unlimited with an attention window)",
    ).argParser(integer("--context", { min: 1, words: "of at least 1" })),
    new Option("--window <tokens>", "attention window (default: the checkpoint's)").argParser(
      integer("--window", { min: 1, words: "of at least 1" }),
    ),
    new Option("--no-tune", "do not measure which kernels are fastest at the first load on a GPU"),
    new Option("--unsafe-fast", "switch off the checks that keep shaders within their buffers"),
  ]);

/** `--adapter-model`. @param use what several are for, and what a scale is */
export const addAdapterModelOption = (
  command: Command,
  use = "a scale is a factor of what it adds; repeatable: they are added up",
): Command =>
  addOptions(command, "Model", [
    new Option(
      "--adapter-model <lora>",
      `LoRA adapter that PEFT saved: NAME=SOURCE, NAME:SCALE=SOURCE, or a source alone, whose last part is the name; a name is no whole number; a source is a folder, a URL or owner/name[@revision] (${use})`,
    ).argParser(adapterModels),
  ]);

type Adapting = Pick<LoadingOptions, "adapterModel">;

/** All adapters of a command that answers, as an option of calls. */
export function adapterOf({ adapterModel = [] }: Adapting): { readonly adapter?: AdapterChoice } {
  const uses = adapterModel.map(({ name, scale }) => (scale === undefined ? name : { name, scale }));
  if (uses.length === 0) return {};
  return { adapter: uses.length === 1 ? (uses[0] as ScaledAdapter) : uses };
}

/** The same as a field of what --json prints, where `adapter` is the GPU. */
export function adapterField(options: Adapting): { readonly adapterModel?: AdapterChoice } {
  const { adapter } = adapterOf(options);
  return adapter === undefined ? {} : { adapterModel: adapter };
}

/** " with pirate, legal × 0.5", for people. */
export const withAdapter = ({ adapterModel }: Adapting): string =>
  adapterModel
    ? ` with ${adapterModel.map(({ name, scale }) => (scale === undefined ? name : `${name} × ${scale}`)).join(", ")}`
    : "";

/** Answers at once of `sirocco serve`, unless it is told another number. */
export const SERVED_AT_ONCE = 8;

export interface ParallelOptions {
  readonly parallel?: number;
  readonly rings?: number;
}

export const parallelOption = (text: string): Option =>
  new Option("--parallel <count>", text).argParser(
    integer("--parallel", { min: 1, max: 256, words: "from 1 to 256" }),
  );

export const ringsOption = (): Option =>
  new Option(
    "--rings <count>",
    "conversations to keep in the cache, running ones included (default: as many as --parallel)",
  ).argParser(integer("--rings", { min: 1, max: 1024, words: "from 1 to 1024" }));

/** `--json`, `--quiet` and `--debug`. @param json what --json prints, or options in place of --json */
export const addOutputOptions = (command: Command, json: string | readonly Option[]): Command =>
  addOptions(command, "Output", [
    ...(typeof json === "string" ? [new Option("--json", json)] : json),
    new Option("-q, --quiet", "no progress and no statistics on stderr"),
    new Option("--debug", "print the stack of an error"),
  ]).addHelpOption(new Option("-h, --help", "show this help").helpGroup("Output:"));

export const addSamplingOptions = (command: Command, maxTokens: number): Command =>
  addOptions(command, "Sampling", [
    new Option("-n, --max-tokens <count>", "maximum tokens of an answer")
      .argParser(integer("--max-tokens", { min: 1, words: "of at least 1" }))
      .default(maxTokens),
    new Option("-t, --temperature <t>", "higher is more random; 0: always the likeliest token")
      .argParser(number("--temperature", { min: 0, words: "of at least 0" }))
      .default(DEFAULT_SAMPLING.temperature),
    new Option("--top-k <count>", "keep this many of the likeliest tokens; 0 or -1: all")
      .argParser(topK)
      .default(0),
    new Option("--top-p <p>", "keep the likeliest tokens whose probabilities add up to p; 1: all")
      .argParser(number("--top-p", { min: 0, max: 1, words: "between 0 and 1" }))
      .default(DEFAULT_SAMPLING.topP),
    new Option("--min-p <p>", "keep tokens at least p times as likely as the likeliest; 0: all")
      .argParser(number("--min-p", { min: 0, max: 1, words: "between 0 and 1" }))
      .default(0),
    new Option("--repetition-penalty <x>", "divide logits of tokens in prompt or answer; 1: none")
      .argParser(number("--repetition-penalty", { min: 0.001, max: 1000, words: "from 0.001 to 1000" }))
      .default(1),
    new Option("--frequency-penalty <x>", "subtract from a token's logit for each time it is in the answer")
      .argParser(number("--frequency-penalty", PENALTY))
      .default(0),
    new Option("--presence-penalty <x>", "subtract once from logits of tokens that are in the answer")
      .argParser(number("--presence-penalty", PENALTY))
      .default(0),
    new Option("--logit-bias <id=value>", "add to the logit of a token id; repeatable").argParser(logitBias),
    new Option(
      "--seed <number>",
      "the same seed gives the same tokens; -1: random (default: random, and printed)",
    ).argParser(seed),
    new Option("--stop <text>", "end the answer before this text; repeatable").argParser(stop),
    new Option("--ignore-eos", "continue after the end-of-sequence token"),
  ]);

/** Options for `loadModel` and `planModel`. Without `--parallel` a command runs one answer at a time. */
export const toLoadOptions = ({
  weights,
  cache,
  context,
  window,
  adapter,
  threads,
  tune,
  unsafeFast,
  parallel = 1,
  rings,
  adapterModel,
}: Omit<LoadingOptions, keyof OutputOptions> & ParallelOptions): LoadOptions => ({
  weights,
  cache,
  parallel,
  ...(rings === undefined ? {} : { rings }),
  ...(tune === false ? { tune } : {}),
  ...(unsafeFast ? { unsafeFast } : {}),
  ...(context === undefined ? {} : { contextLength: context }),
  ...(window === undefined ? {} : { window }),
  ...(adapter === undefined ? {} : { adapter }),
  ...(threads === undefined ? {} : { threads }),
  ...(adapterModel && {
    adapters: Object.fromEntries(adapterModel.map(({ name, source }) => [name, source])),
  }),
});

/** Options for `generate` and `chat`, always with a seed, so that a run can be repeated. */
export function toGenerateOptions(
  options: SamplingOptions,
  seed: number,
  format?: AnswerFormat,
): GenerateOptions {
  const { maxTokens, temperature, topK, topP, minP, stop, logitBias, ignoreEos = false } = options;
  const { repetitionPenalty, frequencyPenalty, presencePenalty } = options;
  return {
    ...{ maxTokens, temperature, topK, topP, minP },
    ...{ repetitionPenalty, frequencyPenalty, presencePenalty },
    ...(logitBias === undefined ? {} : { logitBias }),
    ...(stop === undefined ? {} : { stop }),
    ...(format === undefined ? {} : { format }),
    ...{ ignoreEos, seed },
  };
}
