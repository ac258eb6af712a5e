// The engine, which runs in a worker. Only this file, load.ts and offers.ts import its code.
import type { ChatOptions, Chunk, Message, Model } from "../engine/index.ts";

export type {
  AdapterDescription,
  AdapterSource,
  AnswerFormat,
  ChatOptions,
  Chunk,
  ErrorCode,
  Finish,
  JsonSchema,
  LoadOptions,
  Message,
  Model,
  Plan,
  Progress,
  Source,
  StoredModel,
  Tool,
  ToolCall,
  ToolCallDelta,
} from "../engine/index.ts";
export {
  deleteStoredModel,
  deleteStoredModels,
  listStoredModels,
  persistStorage,
} from "../engine/index.ts";

/**
 * Where a model comes from: the site itself, a repository or URL, or files that the visitor picked.
 */
export type Choice =
  | { readonly kind: "embedded" }
  | { readonly kind: "named"; readonly name: string; readonly token?: string }
  | { readonly kind: "files"; readonly name: string; readonly files: readonly File[] }
  | ServerChoice;

/** An OpenAI-compatible server. */
export interface ServerChoice {
  readonly kind: "server";
  /** Where its API begins: "http://localhost:8000/v1". */
  readonly address: string;
  /** The name of one of its models. Default: the first one. */
  readonly model?: string;
  readonly key?: string;
}

/** What a chat needs of a model, here or behind a server. */
export interface ChatModel {
  /** All models of the same server. */
  readonly names?: readonly string[];
  /** In tokens. A server may not tell. */
  readonly contextLength?: number | undefined;
  chat(messages: readonly Message[], options: ChatOptions): AsyncIterable<Chunk>;
  dispose(): void;
}

/** Whether a model runs in this browser. */
export const isLocal = (model: ChatModel | undefined): model is Model =>
  model !== undefined && "encodeChat" in model;

/** Whether there are files to plan for before it is loaded: not those of the page, nor a server's. */
export const hasFiles = (choice: Choice): choice is Exclude<Choice, { kind: "embedded" | "server" }> =>
  choice.kind === "named" || choice.kind === "files";

export const EMBEDDED: Choice = { kind: "embedded" };

export function choiceName(choice: Choice): string {
  if (choice.kind === "server") return choice.model ?? new URL(choice.address).host;
  return choice.kind === "embedded" ? "Tiny Tales 5M" : choice.name;
}

/** The page runs one answer at a time, so one ring of keys and values is enough. */
export const AT_ONCE = 1;
