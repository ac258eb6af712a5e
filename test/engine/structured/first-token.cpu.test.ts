// A format holds from the first token on, whose leading space many tokenizers strip: every way to write a
// choice is decoded to it.
import { expect, test } from "vitest";
import { answerConstraint } from "../../../engine/answer-constraint.ts";
import { byteLevelFiles, mistralV3Files, openTiny, openTokenizer } from "../../tokenizer/fixtures.ts";

const CHOICES = [" yes", "no", "  é"];

test.each([
  ["the embedded model's", openTiny()],
  ["Mistral v3's, which strips a space", openTokenizer(mistralV3Files("metaspace"))],
  ["Mistral v3's, which prepends one", openTokenizer(mistralV3Files("prepend"))],
  ["a byte-level one", openTokenizer(byteLevelFiles())],
])("%s tokenizer", (_, tokenizer) => {
  const V = tokenizer.size;
  const endIds = new Set([tokenizer.eosId as number]);
  for (const continues of [false, true]) {
    const said = new Set<string>();
    const options = { tokenizer, V, endIds, continues, opened: undefined };
    const visit = (ids: readonly number[]): void => {
      const constraint = answerConstraint({ type: "choice", choices: CHOICES }, options)!;
      for (const id of ids) constraint.accept(id);
      if (constraint.complete) {
        const text = tokenizer.stream({ continues });
        said.add(ids.map((id) => text.push(id)).join("") + text.end());
        return;
      }
      const mask = constraint.mask();
      for (let id = 0; id < V; id++) if ((mask[id >>> 5]! >>> (id & 31)) & 1) visit([...ids, id]);
    };
    visit([]);
    expect([...said].sort()).toEqual([...CHOICES].sort());
  }
});
