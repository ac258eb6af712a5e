// Calls of tools in OpenAI's shapes.
import type { ToolCall, ToolCallDelta } from "../../api.ts";
import type { ChatCompletionMessageToolCall, ChatCompletionToolCallDelta } from "../../types/openai-tools.ts";

export const wholeCall = ({ id, name, arguments: text }: ToolCall): ChatCompletionMessageToolCall => ({
  id,
  type: "function",
  function: { name, arguments: text },
});

/** The first piece has no arguments, and says what is called. */
export const callDelta = ({
  index,
  arguments: text,
  ...call
}: ToolCallDelta): ChatCompletionToolCallDelta => ({
  index,
  ...(text === "" ? wholeCall({ ...call, arguments: "" }) : { function: { arguments: text } }),
});
