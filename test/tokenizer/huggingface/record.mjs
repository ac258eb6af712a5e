// @ts-nocheck
// Records the results of Hugging Face's Rust library for variants.mjs, by its own Node bindings:
//   npm install --no-save tokenizers@0.23.2 && node test/tokenizer/huggingface/record.mjs
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { texts, variants } from "./variants.mjs";

const { Tokenizer } = createRequire(process.env.TOKENIZERS_FROM ?? import.meta.url)("tokenizers");
const recorded = {};
for (const [name, json] of Object.entries(variants)) {
  const tokenizer = Tokenizer.fromString(JSON.stringify(json));
  // Version 0.23 decodes such a token in normalized form, and a special one as text. We decode its content.
  const idsOnly = json.normalizer && json.added_tokens.some(({ normalized }) => normalized);
  recorded[name] = [];
  for (const text of texts(name)) {
    const ids = (await tokenizer.encode(text, null, { addSpecialTokens: true })).getIds();
    const decoded = await tokenizer.decode(ids, true);
    const whole = await tokenizer.decode(ids, false);
    recorded[name].push(idsOnly ? [ids] : [ids, decoded, whole]);
  }
}
const lines = Object.entries(recorded).map(
  ([name, rows]) => `${JSON.stringify(name)}: ${JSON.stringify(rows)}`,
);
writeFileSync(new URL("recorded.json", import.meta.url), `{\n${lines.join(",\n")}\n}\n`);
