// Tools: functions of the caller that a model may ask for.
import type { JsonSchema } from "./format.ts";

/** A function that a model may ask for. The caller runs it: Sirocco runs none. */
export interface Tool {
  /** 1 … 64 letters, digits, `_` or `-`. */
  readonly name: string;
  /** What it does and when to use it, for the model. */
  readonly description?: string;
  /** Its arguments: a JSON Schema of an object. Default: an object without properties. */
  readonly parameters?: JsonSchema;
}

/** A call that a model asked for. */
export interface ToolCall {
  /** Names the call in the message with its result. Sirocco's own have 9 letters and digits. */
  readonly id: string;
  /** Name of the tool. */
  readonly name: string;
  /** The arguments as the text of a JSON object. */
  readonly arguments: string;
}

/**
 * Whether the answer calls tools. `none`: it cannot; the tools are not shown to the model. `auto`: the model
 * decides. `required`: it calls at least one. A name: it calls that one.
 */
export type ToolChoice = "none" | "auto" | "required" | { readonly name: string };

/** A piece of a call. The pieces of a call have the same index, id and name. */
export interface ToolCallDelta extends ToolCall {
  /** Which call of the answer, from 0. */
  readonly index: number;
  /** What was added to the arguments since the last piece; the first piece has none. */
  readonly arguments: string;
}
