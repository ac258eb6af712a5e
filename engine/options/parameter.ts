// Errors of arguments and options: each names the one at fault in its property `parameter`, so nobody has to read the message.

export interface ParameterError extends Error {
  /** "maxTokens", "messages[0].content" */
  readonly parameter: string;
  /** `unsupported`: there is no such option, or Sirocco does not do what it asks. */
  readonly code?: "unsupported";
}

/** The value is of the right type and not one of those that are possible. */
export const outOfRange = (parameter: string, message: string): RangeError & ParameterError =>
  Object.assign(new RangeError(`${parameter}: ${message}`), { parameter });

/** The value is of another type. */
export const wrongType = (parameter: string, message: string): TypeError & ParameterError =>
  Object.assign(new TypeError(`${parameter}: ${message}`), { parameter });

/** There is no such option, or it is not supported. */
export const unsupported = (parameter: string, message: string): TypeError & ParameterError =>
  Object.assign(new TypeError(message), { parameter, code: "unsupported" as const });

export const isParameterError = (error: unknown): error is ParameterError =>
  error instanceof Error && "parameter" in error && typeof error.parameter === "string";

/** A value in a few characters, whatever it is. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
