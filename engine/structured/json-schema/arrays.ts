// The arrays of a schema.

import type { JsonSchema } from "../../types/format.ts";
import { type Expression, NOTHING, optional, repeat, rule, sequence } from "../grammar.ts";
import type { Compiler } from "./compiler.ts";
import { bracketed, COMMA } from "./json-text.ts";
import { readCount, readList, SchemaError, step, wrong } from "./keywords.ts";
import { keyOf, type ObjectPart, type Part } from "./schema-part.ts";

/** Items that have a place of their own, at most. */
const MAX_PLACES = 1000;

export function arrayText(parts: readonly ObjectPart[], compiler: Compiler): Expression {
  const places = Math.max(
    ...parts.map(({ schema, path }) => readList(schema, "prefixItems", path)?.length ?? 0),
  );
  if (places > MAX_PLACES) throw wrong(parts[0]!.path, "prefixItems", `at most ${MAX_PLACES} items`, places);
  const hasItems = parts.some(({ schema }) => schema["items"] !== undefined);
  const isTuple = places > 0 && !hasItems;
  const least = Math.max(
    isTuple && !parts.some(({ schema }) => "minItems" in schema) ? places : 0,
    ...parts.map(({ schema, path }) => readCount(schema, "minItems", path) ?? 0),
  );
  const most = Math.min(
    isTuple ? places : Infinity,
    ...parts.map(({ schema, path }) => readCount(schema, "maxItems", path) ?? Infinity),
  );
  refuseUnique(parts, most);
  if (least > most) return NOTHING;
  const prefix = `${keyOf(parts)} from `;
  const item = (i: number) => compiler.compile(parts.flatMap((part) => itemOf(part, i)));
  const rest = item(places);
  /** What follows `i` items: the comma before it first. */
  const after = (i: number): Expression =>
    i < Math.min(places, most)
      ? rule(`${prefix}${i}`)
      : repeat(sequence(COMMA, rest), Math.max(0, least - i), most - i);
  const rules = new Map<string, Expression>();
  for (let i = 1; i < Math.min(places, most); i++) {
    const more = sequence(COMMA, item(i), after(i + 1));
    rules.set(`${prefix}${i}`, i < least ? more : optional(more));
  }
  compiler.add(rules);
  const some = most === 0 ? NOTHING : sequence(item(0), after(1));
  const content = least > 0 ? some : optional(some);
  return bracketed("[", content, "]");
}

/** What a schema says of the item at a place. */
function itemOf({ schema, path }: ObjectPart, i: number): readonly Part[] {
  const first = readList(schema, "prefixItems", path) ?? [];
  if (i < first.length) return [{ schema: first[i] as JsonSchema, path: `${path}.prefixItems[${i}]` }];
  const { items } = schema;
  if (Array.isArray(items))
    throw new SchemaError(
      path + step("items"),
      "expected one schema for all items, got a list. Name it prefixItems.",
    );
  return items === undefined ? [] : [{ schema: items as JsonSchema, path: `${path}.items` }];
}

function refuseUnique(parts: readonly ObjectPart[], most: number): void {
  for (const { schema, path } of parts) {
    const { uniqueItems } = schema;
    if (uniqueItems !== undefined && typeof uniqueItems !== "boolean")
      throw wrong(path, "uniqueItems", "true or false", uniqueItems);
    if (uniqueItems && most > 1)
      throw new SchemaError(
        path + step("uniqueItems"),
        "expected a keyword that can be held to token by token, got this one. Leave it out, or set maxItems to 1.",
      );
  }
}
