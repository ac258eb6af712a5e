// POST /v1/chat/completions: the calls of engine/openai.ts behind admission, whole or as a stream.
import { z } from "zod";
import { completeChat, streamChat } from "../engine/openai.ts";
import { readRequest } from "../engine/openai-request.ts";
import { Answers } from "./answers.ts";
import { readBody } from "./body.ts";
import { badParameter } from "./errors.ts";
import type { Ctx } from "./exchange.ts";
import { checkFit, encodeMessages } from "./fit.ts";
import { checkName } from "./models.ts";
import { errorBody } from "./openai-error.ts";
import { checkBias, sampling } from "./sampling.ts";
import type { Service } from "./service.ts";
import { streamEvents } from "./sse.ts";

const MOST_MESSAGES = 4096;

/** Types and ranges; names that are not known, and what goes together, are for `readRequest`. */
const body = z.looseObject({
  ...sampling,
  messages: z.custom<unknown[]>(
    (value) => Array.isArray(value) && value.length > 0 && value.length <= MOST_MESSAGES,
    `expected a list of 1 to ${MOST_MESSAGES} messages`,
  ),
  max_completion_tokens: z.int().min(1).nullish(),
  max_tokens: z.int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
});

export async function chatCompletions(c: Ctx, service: Service): Promise<Response> {
  const exchange = c.get("exchange");
  const given = await readBody(c, service.limits, body);
  const name = checkName(service, given.model);
  const request = read({ ...given, model: name });
  if (service.logPrompts) exchange.prompt = request.messages;
  checkBias(service, request.options);
  const { messages } = request;
  const ids = await encodeMessages(service, messages, "messages");
  const fitting = { ...request, options: checkFit(service, ids.length, request.options, "messages") };
  const answers = new Answers(service, exchange, request.answers);
  if (request.stream)
    return streamEvents(c, service, streamChat(answers, fitting, exchange.signal), errorBody);
  return c.json(await completeChat(answers, fitting, exchange.signal));
}

/** @throws HttpError 400 naming what is not supported */
function read(params: object) {
  try {
    return readRequest(params as Parameters<typeof readRequest>[0]);
  } catch (error) {
    throw error instanceof TypeError || error instanceof RangeError ? badParameter(error) : error;
  }
}
