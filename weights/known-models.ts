// The models that the command and the demo offer by name. models.json is the list; this file imports nothing
// else, so that a page can read it before the engine.
import list from "../models.json";

export interface KnownModel {
  /** Names for `--model`. The first is shown. */
  readonly aliases: readonly [string, ...string[]];
  readonly title: string;
  /** What it is for, in a sentence. */
  readonly about: string;
  /** owner/name or owner/name/file.gguf on the Hub; null: the embedded model. */
  readonly source: string | null;
  /** What is downloaded. */
  readonly format: string;
  /** What most matrices are on the GPU. */
  readonly weights: string;
  readonly parameters: number;
  /** Of the weights. */
  readonly downloadBytes: number;
  /** What `planModel` answers with its defaults on a GPU, for one conversation: weights, cache, scratch. */
  readonly gpuBytes: number;
  /** Tokens that it was trained for. */
  readonly context: number;
  /** Its owner asks for terms to be accepted on its page. */
  readonly gated: boolean;
  readonly licence: string;
}

/** The embedded one, then in the order in which a newcomer should try them. */
export const knownModels = list as unknown as readonly [KnownModel, ...KnownModel[]];

/** By an alias, in small or capital letters. */
export const knownModel = (alias: string): KnownModel | undefined =>
  knownModels.find(({ aliases }) => aliases.includes(alias.toLowerCase()));

/** By what `source` names, with or without its file. */
export const knownBySource = (source: string): KnownModel | undefined =>
  knownModels.find((model) => model.source === source) ??
  knownModels.find((model) => model.source !== null && repositoryOf(model.source) === source);

/** owner/name of owner/name[@revision][/folder][/file.gguf]. */
export const repositoryOf = (source: string): string =>
  source.split("/").slice(0, 2).join("/").replace(/@.*/, "");

/** Where the Hub describes it, and where terms are accepted. */
export const modelPage = (source: string, hub = "https://huggingface.co"): string =>
  `${hub}/${repositoryOf(source)}`;
