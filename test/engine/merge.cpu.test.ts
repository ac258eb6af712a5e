// Merging streams: no stream waits for another, and none is left running.
import { describe, expect, test } from "vitest";
import { merge } from "../../engine/apis/merge.ts";
import { expectNoUnhandledRejections } from "../helpers.ts";

expectNoUnhandledRejections();

const ended: string[] = [];

async function* stream(name: string, count: number, failAt = Infinity): AsyncGenerator<string, void, void> {
  try {
    for (let i = 0; i < count; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (i === failAt) throw new Error(name);
      yield `${name}${i}`;
    }
  } finally {
    ended.push(name);
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 10));

describe("merge", () => {
  test("gives every item as it arrives, in the order of its stream", async () => {
    const items: string[] = [];
    for await (const item of merge([stream("a", 3), stream("b", 2), stream("c", 0)])) items.push(item);
    expect(items.filter((item) => item.startsWith("a"))).toEqual(["a0", "a1", "a2"]);
    expect(items.filter((item) => item.startsWith("b"))).toEqual(["b0", "b1"]);
    expect(items.indexOf("b0")).toBeLessThan(items.indexOf("a1"));
  });

  test("a slow reader takes from each in turn", async () => {
    const items: string[] = [];
    for await (const item of merge([stream("a", 3), stream("b", 3)])) {
      items.push(item);
      await settled();
    }
    expect(items.map((item) => item[0]).join("")).toBe("ababab");
  });

  test.each(["one fails", "the reader leaves"])("ends the others when %s", async (how) => {
    ended.length = 0;
    const run = async () => {
      for await (const item of merge([
        stream("a", 100),
        stream("b", 100, how === "one fails" ? 2 : Infinity),
      ]))
        if (how === "the reader leaves" && item === "b2") break;
    };
    if (how === "one fails") await expect(run()).rejects.toThrow("b");
    else await run();
    await settled();
    expect(ended.toSorted()).toEqual(["a", "b"]);
  });
});
