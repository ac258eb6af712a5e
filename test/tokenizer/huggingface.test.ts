import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Tokenizer } from "../../tokenizer/index.ts";
import { texts, variants } from "./huggingface/variants.mjs";

type Row = readonly [ids: number[], decoded?: string, whole?: string];

const recorded = JSON.parse(
  readFileSync(new URL("huggingface/recorded.json", import.meta.url), "utf8"),
) as Record<string, Row[]>;

describe("ids and texts are those of Hugging Face's Rust library", () => {
  it.each(Object.entries(recorded))("%s", (name, rows) => {
    const tokenizer = Tokenizer.from({ tokenizer: (variants as Record<string, unknown>)[name] });
    const given: string[] = texts(name);
    const ours = given.map((text, i): Row => {
      const ids = tokenizer.encode(text);
      if (rows[i]?.length === 1) return [ids];
      return [ids, tokenizer.decode(ids), tokenizer.decode(ids, { skipSpecial: false })];
    });
    expect(ours.map((row, i) => [given[i], ...row])).toEqual(rows.map((row, i) => [given[i], ...row]));
  });
});
