// POST /v1/chat/completions, as a whole or as a stream. The shapes are those of engine/apis/openai/chat.ts.
import { completeChat, type StartChat, streamChat } from "../../engine/apis/openai/chat.ts";
import { readRequest } from "../../engine/apis/openai/request.ts";
import type { ChatCompletionCreateParams } from "../../engine/types/openai.ts";
import { AdmittedModel } from "../admitted-model.ts";
import { readBody } from "../body.ts";
import { checkBias, checkContext, checkFormat, encodeMessages } from "../context-check.ts";
import { saidIn } from "../moderation.ts";
import { errorBody } from "../openai-error.ts";
import type { Ctx } from "../request-lifecycle.ts";
import type { Service } from "../service.ts";
import { streamEvents } from "../sse.ts";
import { adaptersFor, checkServed } from "./models.ts";

export async function chatCompletions(c: Ctx, service: Service): Promise<Response> {
  const lifecycle = c.get("lifecycle");
  const { lora, ...given } = await readBody(c, service.limits);
  const asked = readRequest(given as unknown as ChatCompletionCreateParams);
  const model = checkServed(service, asked.model);
  const request = {
    ...asked,
    model,
    options: { ...asked.options, ...(await adaptersFor(service, model, lora)) },
  };
  if (service.logPrompts) lifecycle.prompt = request.messages;
  checkBias(service, request.options);
  const { messages } = request;
  const { ids, warnings } = await encodeMessages(service, messages, "messages", {
    ...request.options,
    signal: lifecycle.signal,
  });
  await checkFormat(service, ids, request.options, request.asked);
  const fitting = { ...request, options: checkContext(service, ids.length, request.options, "messages") };
  const answers = new AdmittedModel(service, lifecycle, request.answers);
  await answers.screen(saidIn(messages));
  const start: StartChat = ({ continueFinalMessage = false, safePrompt: _, ...options }) =>
    answers.generate(
      ids,
      { ...options, standalone: !continueFinalMessage, separateReasoning: true },
      warnings,
    );
  if (request.stream)
    return streamEvents(c, service, streamChat(start, fitting, lifecycle.signal), errorBody);
  return c.json(await completeChat(start, fitting, lifecycle.signal));
}
