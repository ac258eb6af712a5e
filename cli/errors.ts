// Errors as the terminal shows them: one line, or one JSON object.
import { inspect } from "node:util";

export type UsageErrorCode =
  /** An option or argument is wrong; the message names it. */
  | "usage"
  /** The command needs a subcommand; its help was printed, and there is nothing else to say. */
  | "help";

/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
  readonly code: UsageErrorCode;

  /** @param code default "usage" */
  constructor(
    message: string,
    { code = "usage", ...options }: ErrorOptions & { readonly code?: UsageErrorCode } = {},
  ) {
    super(message, options);
    this.code = code;
  }
}

/** The message on one line, followed by that of its cause: "fetch failed" alone would not help. */
export function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error.message || error.name;
  const cause = error.cause instanceof Error ? error.cause.message : "";
  return oneLine(cause && !message.includes(cause) ? `${message} (${cause})` : message);
}

/** An error as text for stderr. */
export function renderError(error: unknown, { json, debug }: { json: boolean; debug: boolean }): string {
  const message = errorMessage(error);
  if (json) {
    const { name = "Error", code } = Object(error) as { readonly name?: unknown; readonly code?: unknown };
    return `${JSON.stringify({ error: { name, ...(typeof code === "string" && { code }), message } })}\n`;
  }
  return `sirocco: ${message}\n${debug ? `${inspect(error)}\n` : ""}`;
}

/** An abort by the signal, as `fetch` and the engine throw it. */
export const isAbort = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";

const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, " ");
