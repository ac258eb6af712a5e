/** The small files of a checkpoint: all that is ever read, fetched or copied beside the weights and their index. */
export const companionFiles: readonly string[] = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
];
