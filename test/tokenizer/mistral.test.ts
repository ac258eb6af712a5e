import fc from "fast-check";
import mistral from "mistral-tokenizer-js";
import { describe, expect, it } from "vitest";
import { mistralV1Files, mistralV3Files, openLibrary, openTokenizer, readGolden } from "./fixtures.ts";

const cases = readGolden<{ readonly text: string }[]>("tokenizer_cases.json");
const files = mistralV1Files();
const ours = openTokenizer(files);
const seeded = { seed: 7, numRuns: 300 };

describe("Mistral 7B's own 32,000 tokens", () => {
  it("knows them", () => {
    expect([ours.size, ours.bosId, ours.eosId]).toEqual([32000, 1, 2]);
    expect(ours.encode("grabbed")).toEqual([1, 13300]);
    expect(ours.encode("           grabbed")).toEqual([1, 17422, 13300]);
  });

  it("agrees with an independent tokenizer on 2,000 strings", () => {
    for (const { text } of cases) {
      const ids = mistral.encode(text, false);
      expect(ours.encode(text, { bos: false, special: false }), text).toEqual(ids);
      expect(ours.decode(ids)).toBe(text.replaceAll("▁", " "));
    }
  });

  it("agrees on random text, spaces and spelled-out control tokens", () => {
    const part = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom(" ", "  ", "\n", "\t", "</s>", "<s>", "[INST]", "<unk>", "<0x41>", "the", "▁"),
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 12 }).map((parts) => parts.join("")),
        (text) => {
          const ids = mistral.encode(text, false);
          expect(ours.encode(text, { bos: false, special: false })).toEqual(ids);
        },
      ),
      seeded,
    );
  });

  it("is as fast as the library on a prompt of 60,000 characters", () => {
    const library = openLibrary(files);
    // No control tokens: both have one section of the same length to merge.
    const plain = cases.map(({ text }) => text).filter((text) => !text.includes("<"));
    const text = `a <b> ${plain.join(" ").repeat(4)}`.slice(0, 60_000);
    expect(text.length).toBe(60_000);
    // CPU time, measured in turns: the machine may be busy.
    const time = (action: () => unknown): number => {
      const start = process.cpuUsage();
      action();
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    };
    const best = { theirs: Number.POSITIVE_INFINITY, ours: Number.POSITIVE_INFINITY };
    for (let i = 0; i < 3; i++) {
      const special = i % 2 === 0;
      best.theirs = Math.min(
        best.theirs,
        time(() => library.encode(text)),
      );
      best.ours = Math.min(
        best.ours,
        time(() => ours.encode(text, { special })),
      );
    }
    expect(best.ours).toBeLessThan(1.5 * best.theirs + 50);
  });
});

describe("v0.3", () => {
  it.each(["prepend", "metaspace"] as const)("%s: equals the library, also with control tokens", (form) => {
    const files = mistralV3Files(form);
    const library = openLibrary(files);
    const v3 = openTokenizer(files);
    expect(v3.size).toBe(32768);
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom(" ", "[INST]", "[/INST]", "</s>", "<s>", "[control_9]", "[INS"),
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 10 }).map((parts) => parts.join("")),
        (text) => {
          expect(v3.encode(text, { bos: false })).toEqual(
            library.encode(text, { add_special_tokens: false }).ids,
          );
        },
      ),
      seeded,
    );
  });

  it("numbers its tokens as published", () => {
    const v3 = openTokenizer(mistralV3Files("metaspace"));
    expect(v3.encode("Hello")).toEqual([1, 23325]);
    expect(v3.encode("[INST] Hello[/INST]")).toEqual([1, 3, 23325, 4]);
  });
});
