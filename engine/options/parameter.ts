// Errors of arguments and options. `parameter` names the argument or option at fault, `code` the kind of
// fault.

/** Codes of a ParameterError. */
export type ParameterErrorCode =
  /** The value has another type: a TypeError. */
  | "wrong-type"
  /** The type is right, the value is not possible: a RangeError. */
  | "out-of-range"
  /** There is no such option, or Sirocco does not do what it asks: a TypeError. */
  | "unsupported";

/** A TypeError or RangeError about one argument or option. */
export interface ParameterError extends Error {
  /** The argument or option: "maxTokens", "messages[0].content" */
  readonly parameter: string;
  /** What is wrong with it, for programs. */
  readonly code: ParameterErrorCode;
  /** The message without the parameter in front, if it begins with it. */
  readonly detail?: string;
  /** Where in it, if it is a schema: ".properties.name". */
  readonly path?: string;
}

/** The value has the right type, but is out of range. */
export const outOfRange = (parameter: string, detail: string): RangeError & ParameterError =>
  withParameter(new RangeError(`${parameter}: ${detail}`), { parameter, code: "out-of-range", detail });

/** The value has the wrong type. */
export const wrongType = (parameter: string, detail: string): TypeError & ParameterError =>
  withParameter(new TypeError(`${parameter}: ${detail}`), { parameter, code: "wrong-type", detail });

/** There is no such option, or it is not supported. */
export const unsupported = (parameter: string, message: string): TypeError & ParameterError =>
  withParameter(new TypeError(message), { parameter, code: "unsupported" });

const withParameter = <E extends Error>(error: E, details: Omit<ParameterError, keyof Error>) =>
  Object.assign(error, details);

export const isParameterError = (error: unknown): error is ParameterError =>
  error instanceof Error && "parameter" in error && typeof error.parameter === "string";

/** Any value, in at most 60 characters. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
