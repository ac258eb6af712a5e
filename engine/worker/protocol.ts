// The messages between a page and its worker. Each model has a port of its own: a worker may hold several
// models, and may use its own messages beside them.
import type { Chunk, Model } from "../api.ts";
import type { ErrorRecord } from "./errors.ts";

/** The methods of Model that return once, and those that stream. A new method is one more name here. */
export const CALLS = [
  "classify",
  "moderate",
  "score",
  "logits",
  "profile",
  "attention",
  "candidates",
  "encode",
  "encodeChat",
  "decode",
  "tokenizerInfo",
  "activity",
  "saveSession",
  "restoreSession",
  "addAdapter",
  "removeAdapter",
] as const;
export const STREAMS = ["generate", "chat"] as const;

export type CallName = (typeof CALLS)[number];
export type StreamName = (typeof STREAMS)[number];

/** How many chunks the worker may send before the page takes one. */
export const CHUNKS_AHEAD = 4;

/** The only message to the worker itself. All others use the port. */
export interface Opening {
  readonly type: "sirocco";
  readonly port: MessagePort;
}

/**
 * A call's arguments, without signal and functions, which cannot be cloned. Those belong to its options, the
 * last argument.
 */
export interface Arguments {
  readonly values: readonly unknown[];
  readonly signal: "none" | "live" | "aborted";
  /** Names of the options that are functions. */
  readonly callbacks: readonly string[];
}

export type Request =
  | { readonly type: "call"; readonly id: number; readonly method: Method; readonly args: Arguments }
  /** The page took a chunk: the worker may send one more. */
  | { readonly type: "taken"; readonly id: number }
  /** Nobody reads the stream any more. */
  | { readonly type: "left"; readonly id: number }
  | { readonly type: "abort"; readonly id: number }
  | { readonly type: "dispose" };

export type Method = "load" | CallName | StreamName;

export type Reply =
  | { readonly type: "chunk"; readonly id: number; readonly chunk: Chunk }
  | {
      readonly type: "callback";
      readonly id: number;
      readonly name: string;
      readonly values: readonly unknown[];
    }
  /** The end of a call. A stream's has no value. */
  | { readonly type: "result"; readonly id: number; readonly value: unknown }
  /** No error: the call was aborted, and fails with the reason of the caller's own signal. */
  | { readonly type: "failure"; readonly id: number; readonly error: ErrorRecord | undefined };

/** The properties of a model that the page has. */
export type ModelFacts = Pick<Model, "config" | "plan" | "adapter" | "contextLength" | "adapters">;
