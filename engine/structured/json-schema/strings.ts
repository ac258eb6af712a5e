// The strings of a schema: lengths, patterns and formats, all at once if it says several.
import { choice, type Expression, type Grammar, mapper, repeat } from "../grammar.ts";
import { intersect } from "../intersection.ts";
import { parseRegex } from "../regex.ts";
import type { Compiler } from "./compiler.ts";
import { FORMATS } from "./formats.ts";
import { ANY_CHARACTER, quoted, stringOf, written } from "./json-text.ts";
import { readCount, SchemaError, type SchemaObject, step, wrong } from "./keywords.ts";
import { keyOf, type ObjectPart } from "./schema-part.ts";

export function stringText(parts: readonly ObjectPart[], compiler: Compiler): Expression {
  const least = Math.max(0, ...parts.map(({ schema, path }) => readCount(schema, "minLength", path) ?? 0));
  const most = Math.min(
    ...parts.map(({ schema, path }) => readCount(schema, "maxLength", path) ?? Infinity),
    Infinity,
  );
  const languages = parts.flatMap(conditions);
  const [first, ...others] = languages;
  if (!first) return least > most ? choice() : stringOf(least, most);
  const lengths = least > 0 || most < Infinity ? [repeat(ANY_CHARACTER, least, most)] : [];
  if (least > most) return choice();
  const prefix = `${keyOf(parts)} text`;
  let grammar: Grammar = { start: first, rules: new Map() };
  [...others, ...lengths].forEach((language, i) => {
    grammar = intersect(grammar, { start: language, rules: new Map() }, `${prefix} ${i}`);
  });
  const write = mapper((leaf) => (leaf.kind === "set" ? written(leaf.set) : leaf));
  compiler.add(new Map([...grammar.rules].map(([name, body]) => [name, write(body)])));
  return quoted(write(grammar.start));
}

/** What a schema says of its characters. */
function conditions({ schema, path }: ObjectPart): Expression[] {
  const { pattern, format } = schema;
  const isKnown = typeof format === "string" && Object.hasOwn(FORMATS, format);
  if (format !== undefined && !isKnown && (pattern === undefined || typeof format !== "string"))
    throw wrong(path, "format", Object.keys(FORMATS).join(", "), format);
  if (pattern !== undefined) return [patternText(schema, path)];
  return isKnown ? [parseRegex(FORMATS[format]!.pattern)] : [];
}

/** The texts that hold to `pattern`. @throws SchemaError */
export function patternText({ pattern, format }: SchemaObject, path: string): Expression {
  if (typeof pattern !== "string") throw wrong(path, "pattern", "a text", pattern);
  const known = typeof format === "string" && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (known?.within?.includes(pattern)) return parseRegex(known.pattern);
  try {
    // A library that names the format as well says with the pattern what it means by it.
    return parseRegex(pattern, true);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SchemaError(path + step("pattern"), error.message);
  }
}
