// Errors in OpenAI's shape.
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type HttpError, reasonOf, toHttpError } from "./errors.ts";
import type { Ctx } from "./request-lifecycle.ts";

/** The engine's names of what OpenAI has in `function`. */
const IN_TOOL = /^(tools\[\d+\])(?=\.(?:name|description|parameters)\b)/;

/** `{ error: { message, type, param, code } }` */
export const errorBody = ({ message, type, param, code }: HttpError) => {
  const named = (text: string) => text.replace(IN_TOOL, "$1.function");
  return { error: { message: named(message), type, param: param && named(param), code } };
};

/** The response for an error. What the client may not see is kept for the log. */
export function openaiError(error: unknown, c: Ctx): Response {
  const answer = toHttpError(error);
  if (answer.status >= 500) c.get("lifecycle").error = reasonOf(error);
  return c.json(errorBody(answer), answer.status as ContentfulStatusCode, { ...answer.headers });
}
