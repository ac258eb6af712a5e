// Tokenizers and data that several tests share.
import { readFileSync } from "node:fs";
import { Tokenizer, type TokenizerFiles } from "../../tokenizer/index.ts";

const root = new URL("../../", import.meta.url);

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, root), "utf8"));
}

/** The embedded model's tokenizer files; parsed anew each time, so a test may change them. */
export function tinyFiles(): TokenizerFiles & { tokenizer: Record<string, unknown> } {
  return {
    tokenizer: readJson("weights/tiny-mistral/tokenizer.json") as Record<string, unknown>,
    tokenizerConfig: readJson("weights/tiny-mistral/tokenizer_config.json"),
    specialTokensMap: readJson("weights/tiny-mistral/special_tokens_map.json"),
  };
}

export function openTiny(): Tokenizer {
  return Tokenizer.from(tinyFiles());
}

/** A golden file of the embedded model. */
export function readGolden<T>(name: string): T {
  return readJson(`test/golden/tiny-mistral/${name}`) as T;
}
