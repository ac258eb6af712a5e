// OpenAI's chat completions on a loaded model. It uses `Model.chat` only, so the model may run in a worker.
// The code behind it is a lazy chunk.
import type { Model } from "../../api.ts";
import { checkOptions, type Rules, signal as signalRule } from "../../options/check.ts";
import type {
  ChatCompletionCreateParams,
  ChatCompletionOptions,
  ChatCompletions,
  OpenAIShape,
} from "../../types/openai.ts";
import type { StartChat } from "./chat.ts";

const rules: Rules<ChatCompletionOptions> = { signal: signalRule };

export function openai(model: Pick<Model, "chat">): OpenAIShape {
  const create = async (params: ChatCompletionCreateParams, options: ChatCompletionOptions = {}) => {
    const [{ readRequest }, { withNames }, { completeChat, streamChat }] = await Promise.all([
      import("./request.ts"),
      import("../answer-format.ts"),
      import("./chat.ts"),
    ]);
    const signal = options?.signal ?? undefined;
    checkOptions("create", { ...options, signal }, rules);
    const request = readRequest(params);
    const start: StartChat = (chatOptions) =>
      withNames(model.chat(request.messages, chatOptions), request.asked);
    return request.stream ? streamChat(start, request, signal) : completeChat(start, request, signal);
  };
  return { chat: { completions: { create: create as ChatCompletions["create"] } } };
}
