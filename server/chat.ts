// POST /v1/chat/completions: engine/apis/openai/chat.ts behind admission, whole or as a stream.
import { completeChat, type StartChat, streamChat } from "../engine/apis/openai/chat.ts";
import { readRequest } from "../engine/apis/openai/request.ts";
import type { ChatCompletionCreateParams } from "../engine/types/openai.ts";
import { Answers } from "./answers.ts";
import { readBody } from "./body.ts";
import type { Ctx } from "./exchange.ts";
import { checkFit, encodeMessages } from "./fit.ts";
import { checkName } from "./models.ts";
import { errorBody } from "./openai-error.ts";
import { checkBias } from "./sampling.ts";
import type { Service } from "./service.ts";
import { streamEvents } from "./sse.ts";

export async function chatCompletions(c: Ctx, service: Service): Promise<Response> {
  const exchange = c.get("exchange");
  const given: unknown = await readBody(c, service.limits);
  const asked = readRequest(given as ChatCompletionCreateParams);
  const request = { ...asked, model: checkName(service, asked.model) };
  if (service.logPrompts) exchange.prompt = request.messages;
  checkBias(service, request.options);
  const { messages } = request;
  const { ids, warnings } = await encodeMessages(service, messages, "messages", {
    ...request.options,
    signal: exchange.signal,
  });
  const fitting = { ...request, options: checkFit(service, ids.length, request.options, "messages") };
  const answers = new Answers(service, exchange, request.answers);
  const start: StartChat = ({ continueFinalMessage = false, ...options }) =>
    answers.generate(ids, { ...options, standalone: !continueFinalMessage }, warnings);
  if (request.stream) return streamEvents(c, service, streamChat(start, fitting, exchange.signal), errorBody);
  return c.json(await completeChat(start, fitting, exchange.signal));
}
