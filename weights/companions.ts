/**
 * The small files of a checkpoint that are read, downloaded or copied, besides the weights and their index.
 */
export const companionFiles: readonly string[] = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
];
