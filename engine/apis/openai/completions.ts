// OpenAI's chat completions on a loaded model, wherever it runs: this knows `Model.chat` and nothing below it. The code behind it is
// fetched with the first call.
import type { Model } from "../../api.ts";
import { checkOptions, type Rules, signal as signalRule } from "../../options/check.ts";
import type {
  ChatCompletionCreateParams,
  ChatCompletionOptions,
  ChatCompletions,
  OpenAIShape,
} from "../../types/openai.ts";

const rules: Rules<ChatCompletionOptions> = { signal: signalRule };

export function openai(model: Pick<Model, "chat">): OpenAIShape {
  const create = async (params: ChatCompletionCreateParams, options: ChatCompletionOptions = {}) => {
    const [{ readRequest }, { completeChat, streamChat }] = await Promise.all([
      import("./request.ts"),
      import("./chat.ts"),
    ]);
    const signal = options?.signal ?? undefined;
    checkOptions("create", { ...options, signal }, rules);
    const request = readRequest(params);
    return request.stream ? streamChat(model, request, signal) : completeChat(model, request, signal);
  };
  return { chat: { completions: { create: create as ChatCompletions["create"] } } };
}
