// Errors of the engine -> those that the Prompt API specifies.
import { isParameterError } from "../../options/parameter.ts";

type Name =
  | "AbortError"
  | "InvalidStateError"
  | "NetworkError"
  | "NotSupportedError"
  | "OperationError"
  | "SyntaxError"
  | "UnknownError";

export const domError = (name: Name, message: string, cause?: unknown): DOMException =>
  Object.assign(new DOMException(message, name), cause === undefined ? {} : { cause });

export const notSupported = (message: string, cause?: unknown): DOMException =>
  domError("NotSupportedError", message, cause);

/** New browsers have a class of this name. */
export function quotaExceeded(requested: number, quota: number): DOMException {
  const message = `The prompt: expected at most ${quota} tokens, got ${requested}. Shorten it.`;
  const Given = (globalThis as { QuotaExceededError?: new (...args: unknown[]) => DOMException })
    .QuotaExceededError;
  if (Given) return new Given(message, { requested, quota });
  return Object.assign(new DOMException(message, "QuotaExceededError"), { requested, quota });
}

/** @param other the name for an error of the engine that has no better one */
export function asDomError(error: unknown, other: "OperationError" | "UnknownError"): unknown {
  if (!(error instanceof Error) || error instanceof DOMException) return error;
  const { name, message } = error;
  if (isParameterError(error))
    return /^(responseConstraint|format|tools)/.test(error.parameter) ? notSupported(message, error) : error;
  if (name === "ChatTemplateError") return notSupported(message, error);
  if (name === "NetworkError") return domError(name, message, error);
  if ("code" in error && error.code === "disposed") return domError("InvalidStateError", message, error);
  return domError(other, message, error);
}
