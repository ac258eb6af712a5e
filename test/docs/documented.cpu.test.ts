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

/** Interfaces of options: what an editor shows for each has to be enough to use it. */
const OPTIONS = /^export interface (\w*(?:Options|Params|Settings|Server|Backend))\b[^{]*\{\n([\s\S]*?)^\}/gm;
const MEMBER =
  /^ {2}\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n(?: {2}\/\/.*\n)? {2}(?:readonly )?(\w+)(\?)?: ([^\n]*)/gm;
const NOT_OPTIONS = ["LanguageModelParams"];

test("every public option says its default or that it is required, and a number its range", () => {
  const places = [
    ...files("engine/types", /\.ts$/),
    ...["resident/quantize", "resident/merge", "ai-sdk", "worker-client", "browser-platform"].map(
      (name) => `engine/${name}.ts`,
    ),
    ...["workers-ai/types", "workers-ai/http", "prompt-api/types"].map((name) => `engine/apis/${name}.ts`),
    ...["http", "http-source", "hub-files"].map((name) => `weights/sources/${name}.ts`),
  ];
  const options = places.flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(OPTIONS)]
      .filter(([, name = ""]) => !NOT_OPTIONS.includes(name))
      .flatMap(([, name, body = ""]) =>
        [...body.matchAll(MEMBER)].map(([, text = "", member, optional, type = ""]) => ({
          name: `${name}.${member}`,
          says: optional ? /\bdefault\b/i.test(text) : /\bRequired\b|\bat least\b/.test(text),
          ranged: !/^number\b/.test(type) || /[≥…]|\brange\b/.test(text),
        })),
      ),
  );
  expect(options.length).toBeGreaterThan(100);
  expect(options.filter(({ says, ranged }) => !(says && ranged)).map(({ name }) => name)).toEqual([]);
});
