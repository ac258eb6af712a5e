// What a page and its worker say to each other. A model has a port of its own, so a worker may hold several, and may have
// other things to say.
import type { Chunk, Model } from "../api.ts";
import type { ErrorRecord } from "./errors.ts";

/** The methods of Model that answer once, and those that stream. A new method is one more name here. */
export const CALLS = [
  "score",
  "logits",
  "profile",
  "attention",
  "candidates",
  "encode",
  "encodeChat",
  "decode",
  "activity",
  "saveSession",
  "restoreSession",
] as const;
export const STREAMS = ["generate", "chat"] as const;

export type CallName = (typeof CALLS)[number];
export type StreamName = (typeof STREAMS)[number];

/** Chunks that a worker may be ahead of those that were taken. */
export const CHUNKS_AHEAD = 4;

/** The one message to the worker itself: whatever follows comes through the port. */
export interface Opening {
  readonly type: "sirocco";
  readonly port: MessagePort;
}

/** A call's arguments, without what cannot be cloned. That stood in the options, which come last. */
export interface Arguments {
  readonly values: readonly unknown[];
  readonly signal: "none" | "live" | "aborted";
  /** Names of the options that are functions. */
  readonly callbacks: readonly string[];
}

export type Request =
  | { readonly type: "call"; readonly id: number; readonly method: Method; readonly args: Arguments }
  /** A chunk was taken: one more may come. */
  | { readonly type: "taken"; readonly id: number }
  /** The reader of a stream has left. */
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
  /** The end of a call; of a stream it has no value. */
  | { readonly type: "result"; readonly id: number; readonly value: unknown }
  /** Without an error: the reason that the caller's own signal gave. */
  | { readonly type: "failure"; readonly id: number; readonly error: ErrorRecord | undefined };

/** What the page knows of a model in the worker. */
export type ModelFacts = Pick<Model, "config" | "plan" | "adapter" | "contextLength">;
