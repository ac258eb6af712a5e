// Every public type and each of its members has a docstring. (`npm run docs` holds all public names to it,
// but needs TypeDoc.)
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { files, root } from "./snippets.ts";

/** A declaration, or a member of an interface at any depth. */
const DECLARATION = /^(?:export (?:interface|type|class)| +(?:readonly )?[\w$]+\??(?::|\()).*/;

test.each([
  ...files("engine/types", /\.ts$/),
  "engine/apis/workers-ai/types.ts",
  "engine/apis/prompt-api/types.ts",
  "engine/errors.ts",
  "weights/errors.ts",
  "tokenizer/errors.ts",
])("%s: every type and member has a docstring", (file) => {
  const lines = readFileSync(join(root, file), "utf8").split("\n");
  let inConstructor = false;
  const bare = lines.filter((line, i) => {
    inConstructor = /^ {2}constructor/.test(line) || (inConstructor && line !== "  }");
    const isParameter = /^ {2,4}\w+\??: .*,$/.test(line);
    if (inConstructor || isParameter || !DECLARATION.test(line) || line.startsWith("export type *"))
      return false;
    return !(lines[i - 1] ?? "").endsWith("*/");
  });
  expect(bare).toEqual([]);
});

test("docs/api.md lists every error code", () => {
  const sources = [
    "engine/errors.ts",
    "weights/errors.ts",
    "tokenizer/errors.ts",
    "engine/options/parameter.ts",
  ];
  const codes = sources.flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(/^ *\| "([\w-]+)"|Code = "([\w-]+)"/gm)].map(
      ([, first, second]) => first ?? second,
    ),
  );
  expect(codes.length).toBeGreaterThan(20);
  const page = readFileSync(join(root, "docs/api.md"), "utf8");
  expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});
