// A small byte-level tokenizer with the control tokens of all formats of tools.
import { byteLevelFiles, openTokenizer } from "./tokenizer/fixtures.ts";

const controls =
  "<unk> <s> </s> [INST] [/INST] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_RESULTS] [/TOOL_RESULTS] [TOOL_CALLS] " +
  "[SYSTEM_PROMPT] [/SYSTEM_PROMPT] [TOOL_CONTENT] [ARGS] [CALL_ID] <|im_start|> <|im_end|> <tool_call> </tool_call>";

/** @param without control tokens that the vocabulary does not have */
export function toolTokenizer(chatTemplate: string, without: readonly string[] = []) {
  const { tokenizer } = byteLevelFiles();
  const from = Object.keys((tokenizer["model"] as { vocab: object }).vocab).length;
  const added_tokens = controls
    .split(" ")
    .filter((content) => !without.includes(content))
    // Qwen's tags of calls are no special tokens: they have a text.
    .map((content, i) => ({
      id: from + i,
      content,
      special: !/tool_call>/.test(content),
      normalized: false,
    }));
  const files = { tokenizer: { ...tokenizer, added_tokens }, chatTemplate };
  const tokenizerConfig = { bos_token: "<s>", eos_token: "</s>" };
  return { tokenizer: openTokenizer({ ...files, tokenizerConfig }), from };
}
