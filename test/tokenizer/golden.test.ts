import { describe, expect, it } from "vitest";
import { openTiny, readGolden } from "./fixtures.ts";

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
  readonly dec: string;
}

const cases = readGolden<Case[]>("tokenizer_cases.json");
const tiny = openTiny();

describe("SentencePiece, 2,000 strings", () => {
  it("has them all", () => expect(cases.length).toBe(2000));

  it("gives the same ids, also with control tokens spelled out in the text", () => {
    for (const { text, ids } of cases)
      expect(tiny.encode(text, { bos: false, special: false }), text).toEqual(ids);
  });

  it("gives the same text", () => {
    for (const { ids, dec } of cases) expect(tiny.decode(ids)).toBe(dec);
  });

  it("reads control tokens as such by default", () => {
    expect(tiny.encode("<s>", { bos: false })).toEqual([1]);
    expect(tiny.encode("<unk></s>")).toEqual([1, 0, 2]);
  });
});

describe("the chat golden", () => {
  const golden = readGolden<{ messages: never; rendered: string; ids: number[]; tokens: string[] }>(
    "chat_template.json",
  );

  it("gives its ids and tokens", () => {
    const ids = tiny.encodeChat(golden.messages);
    expect(ids).toEqual(golden.ids);
    expect(ids.map((id) => tiny.tokenText(id))).toEqual(golden.tokens);
  });

  it("equals encoding the rendered text, without a second <s>", () => {
    expect(tiny.encode(golden.rendered)).toEqual(golden.ids);
  });
});
