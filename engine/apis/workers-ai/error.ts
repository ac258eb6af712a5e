// Workers AI's errors: an internal code beside the HTTP status, as in
// https://developers.cloudflare.com/workers-ai/platform/errors/ or, for those that are missing there, in the
// answers of its REST API.
import type { ErrorCode } from "../../errors.ts";

/** name: [code, HTTP status] */
const KINDS = {
  badModelName: [3042, 404],
  badInput: [5006, 400],
  tooLong: [5021, 400],
  noJson: [5024, 400],
  failed: [3043, 500],
} as const satisfies Record<string, readonly [code: number, status: number]>;

type AiErrorKind = keyof typeof KINDS;

/** A refused call. The message begins with the code, as in Cloudflare's binding. */
export class AiError extends Error {
  override name = "AiError";
  /** Cloudflare's internal code. */
  readonly code: number;
  /** The HTTP status. */
  readonly status: number;
  /** The message without the code. */
  readonly description: string;

  /** The field of the input that is wrong, if it is one field. */
  readonly parameter: string | undefined;

  constructor(
    description: string,
    code: number,
    status: number,
    { parameter, ...options }: ErrorOptions & { readonly parameter?: string } = {},
  ) {
    super(`${code}: ${description}`, options);
    this.parameter = parameter;
    this.code = code;
    this.status = status;
    this.description = description;
  }
}

export function aiError(
  kind: AiErrorKind,
  description: string,
  options?: ErrorOptions & { readonly parameter?: string },
): AiError {
  const [code, status] = KINDS[kind];
  return new AiError(description, code, status, options);
}

/**
 * Engine errors that are the request's fault, by code. (Not by class: a bundle may hold two copies of a
 * class.)
 */
const BLAMED: ReadonlyMap<unknown, AiErrorKind> = new Map<ErrorCode, AiErrorKind>([
  ["context-length", "tooLong"],
  ["no-chat-template", "badInput"],
  ["bad-chat-template", "badInput"],
  ["refused-messages", "badInput"],
]);

/** An error of the engine as Workers AI's. @returns undefined if the request did not cause it */
export function asAiError(error: unknown): AiError | undefined {
  if (error instanceof AiError) return error;
  if (!(error instanceof Error && "code" in error)) return undefined;
  const kind = BLAMED.get(error.code);
  return kind && aiError(kind, error.message, { cause: error });
}
