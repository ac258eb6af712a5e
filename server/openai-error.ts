// Errors in OpenAI's shape.
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type HttpError, reasonOf, toHttpError } from "./errors.ts";
import type { Ctx } from "./request-lifecycle.ts";

/** `{ error: { message, type, param, code } }` */
export const errorBody = ({ message, type, param, code }: HttpError) => ({
  error: { message, type, param, code },
});

/** AdmittedModel with an error, and keeps for the log what the client is not told. */
export function openaiError(error: unknown, c: Ctx): Response {
  const answer = toHttpError(error);
  if (answer.status >= 500) c.get("lifecycle").error = reasonOf(error);
  return c.json(errorBody(answer), answer.status as ContentfulStatusCode, { ...answer.headers });
}
