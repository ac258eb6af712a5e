// Results and errors in the envelope of Cloudflare's REST API.
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { AiError } from "../engine/apis/workers-ai/error.ts";
import type { AiEnvelope } from "../engine/apis/workers-ai/types.ts";
import { type ErrorStatus, type HttpError, reasonOf, toHttpError } from "./errors.ts";
import type { Ctx } from "./request-lifecycle.ts";

/**
 * Cloudflare's codes: https://developers.cloudflare.com/workers-ai/platform/errors/, and observed responses
 * of its API.
 */
const BY_STATUS: Partial<Record<ErrorStatus, number>> = {
  400: 5006,
  401: 10000,
  403: 10000,
  404: 7000,
  408: 3007,
  405: 7001,
  413: 3006,
  415: 5006,
  429: 3040,
  499: 3008,
  503: 3040,
};
const FAILED = 3043;

/** Errors that have a code and a status of their own there. */
const BY_NAME: Readonly<Record<string, readonly [code: number, status: ErrorStatus]>> = {
  model_not_found: [5007, 400],
  context_length_exceeded: [5021, 400],
  finetune_incomplete: [3039, 400],
  finetune_not_found: [5006, 404],
};

export const envelope = <Result>(result: Result) => ({
  result,
  ...{ success: true, errors: [], messages: [] },
});

/** Also the last event of a stream that failed. */
export const failure = (error: HttpError | AiError): AiEnvelope => {
  const { code, description } = error instanceof AiError ? error : toAiError(error);
  return { result: null, success: false, errors: [{ code, message: description }], messages: [] };
};

/** The response for an error. What the client may not see is kept for the log. */
export function workersAiError(error: unknown, c: Ctx): Response {
  if (error instanceof AiError) return c.json(failure(error), error.status as ContentfulStatusCode);
  const known = toHttpError(error);
  if (known.status >= 500) c.get("lifecycle").error = reasonOf(error);
  const answer = toAiError(known);
  return c.json(failure(answer), answer.status as ContentfulStatusCode, { ...known.headers });
}

function toAiError({ status, code: name, message }: HttpError): AiError {
  const [code, there] = BY_NAME[name ?? ""] ?? [BY_STATUS[status] ?? FAILED, status];
  return new AiError(message, code, there);
}
