// Errors between threads. A cloned Error loses its class, so the class is sent by name.
import { ChatTemplateError, TokenizerError } from "../../tokenizer/index.ts";
import { CheckpointError, NetworkError } from "../../weights/index.ts";
import {
  ContextLengthError,
  DeviceError,
  DeviceLostError,
  ExtractionError,
  ModelInUseError,
  SessionError,
  StorageError,
} from "../errors.ts";

/** Classes under fixed names: a minifier renames classes. */
const CLASSES: Readonly<Record<string, { readonly prototype: Error }>> = {
  ChatTemplateError,
  CheckpointError,
  ContextLengthError,
  DeviceError,
  DeviceLostError,
  ExtractionError,
  ModelInUseError,
  NetworkError,
  SessionError,
  StorageError,
  TokenizerError,
  RangeError,
  SyntaxError,
  TypeError,
};

export interface ErrorRecord {
  /** A name of CLASSES, `DOMException`, or `Error`. */
  readonly kind: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Its own plain properties, including `name`. */
  readonly own: Readonly<Record<string, unknown>>;
  readonly cause: ErrorRecord | undefined;
}

export function recordError(error: unknown): ErrorRecord {
  if (!(error instanceof Error)) {
    return { kind: "Error", message: String(error), stack: undefined, own: {}, cause: undefined };
  }
  const { message, stack, cause } = error;
  const own = Object.fromEntries(Object.entries(error).filter(([, value]) => Object(value) !== value));
  const named = error instanceof DOMException ? { kind: "DOMException", own: { name: error.name } } : { own };
  return {
    kind: kindOf(error),
    message,
    stack,
    cause: cause === undefined ? undefined : recordError(cause),
    ...named,
  };
}

/** The nearest superclass that has a name here. */
function kindOf(object: object): string {
  const prototype: object | null = Object.getPrototypeOf(object);
  if (!prototype) return "Error";
  return Object.keys(CLASSES).find((name) => CLASSES[name]?.prototype === prototype) ?? kindOf(prototype);
}

export function reviveError({ kind, message, stack, own, cause }: ErrorRecord): Error {
  if (kind === "DOMException") return new DOMException(message, String(own["name"]));
  const error = new Error(message, cause && { cause: reviveError(cause) });
  const prototype = CLASSES[kind]?.prototype;
  if (prototype) Object.setPrototypeOf(error, prototype);
  if (stack !== undefined) error.stack = stack;
  return Object.assign(error, own);
}
