// The objects of a schema: the properties in the order in which it names them, then others if it allows them.
import type { JsonSchema } from "../../types/format.ts";
import { complement, intersection, only, union } from "../character-set.ts";
import {
  choice,
  EMPTY,
  type Expression,
  literal,
  NOTHING,
  optional,
  repeat,
  rule,
  sequence,
  set,
} from "../grammar.ts";
import type { Compiler } from "./compiler.ts";
import { bracketed, COMMA, member, PLAIN, quoted, stringOf } from "./json-text.ts";
import { readCount, readList, readMap, SchemaError, step, wrong } from "./keywords.ts";
import { keyOf, type ObjectPart, type Part } from "./schema-part.ts";
import { validates } from "./validates.ts";

/** Properties that have a name, at most: a text may go on with each of them. */
const MAX_PROPERTIES = 1000;

interface Property {
  readonly name: string;
  readonly parts: readonly Part[];
  readonly isRequired: boolean;
}

export function objectText(parts: readonly ObjectPart[], compiler: Compiler): Expression {
  const others = otherProperties(parts);
  const properties = propertiesOf(parts, compiler.root);
  const least = Math.max(
    0,
    ...parts.map(({ schema, path }) => readCount(schema, "minProperties", path) ?? 0),
  );
  const most = Math.min(
    ...parts.map(({ schema, path }) => readCount(schema, "maxProperties", path) ?? Infinity),
    Infinity,
  );
  const names = properties.map(({ name }) => name);
  const required = properties.filter(({ isRequired }) => isRequired).length;
  // Others may repeat each other, so that only the first is sure to be one more.
  if (others && least > required + 1) {
    const { path } = parts.find(({ schema }) => "minProperties" in schema)!;
    throw new SchemaError(
      `${path}.minProperties`,
      `expected at most ${required + 1}, one more than the required properties, got ${least}. Lower it, or name the properties.`,
    );
  }
  const other =
    others &&
    member(others.name ? compiler.compile(others.name) : otherName(names), compiler.compile(others.parts));
  const prefix = `${keyOf(parts)} from `;
  const rules = new Map<string, Expression>();
  const isCounted = least > required || most < properties.length || (others !== undefined && most < Infinity);
  /** What follows the properties before `i`, of which `count` were written (if nobody counts: 0, or some). */
  const from = (i: number, count: number): Expression => {
    const known = isCounted ? count : Math.min(count, 1);
    const name = `${prefix}${i} ${known}`;
    if (!rules.has(name)) {
      rules.set(name, NOTHING);
      rules.set(name, text(i, known));
    }
    return rule(name);
  };
  const text = (i: number, count: number): Expression => {
    if (isCounted && count > most) return NOTHING;
    const property = properties[i];
    if (!property) return rest(count);
    const own = member(literal(JSON.stringify(property.name)), compiler.compile(property.parts));
    const present = sequence(...(count > 0 ? [COMMA] : []), own, from(i + 1, count + 1));
    return property.isRequired ? present : choice(present, from(i + 1, count));
  };
  const rest = (count: number): Expression => {
    const missing = isCounted ? Math.max(0, least - count) : 0;
    if (!other) return missing > 0 ? NOTHING : EMPTY;
    const room = isCounted ? most - count : Infinity;
    if (missing > 1 || room < missing) return NOTHING;
    if (count > 0) return repeat(sequence(COMMA, other), missing, room);
    const some = room > 0 ? sequence(other, repeat(sequence(COMMA, other), 0, room - 1)) : NOTHING;
    return missing > 0 ? some : optional(some);
  };
  const content = from(0, 0);
  compiler.add(rules);
  return bracketed("{", content, "}");
}

/** The properties that have a name, in order: those of `properties`, then those that are only required. */
function propertiesOf(parts: readonly ObjectPart[], root: JsonSchema): readonly Property[] {
  const required = new Set(parts.flatMap(requiredOf));
  const named = parts.flatMap(({ schema, path }) => Object.keys(readMap(schema, "properties", path)));
  const listed = parts.flatMap(listedNames);
  const names = [...new Set([...named, ...required, ...listed])];
  if (names.length > MAX_PROPERTIES)
    throw wrong(parts[0]!.path, "properties", `at most ${MAX_PROPERTIES} of them`, names.length);
  return names.map((name) => ({
    name,
    parts: parts.flatMap((part) => propertyOf(part, name, root)),
    isRequired: required.has(name),
  }));
}

function requiredOf({ schema, path }: ObjectPart): readonly string[] {
  const names = readList(schema, "required", path) ?? [];
  const other = names.find((name) => typeof name !== "string");
  if (other !== undefined) throw wrong(path, "required", "names", other);
  return names as readonly string[];
}

/** What a schema says of a property, by its name or as one of the others. */
function propertyOf({ schema, path }: ObjectPart, name: string, root: JsonSchema): readonly Part[] {
  const { propertyNames } = schema;
  const names = { schema: propertyNames as JsonSchema, path: `${path}.propertyNames` };
  if (propertyNames !== undefined && !validates(name, [names], root)) return [{ ...names, schema: false }];
  const properties = readMap(schema, "properties", path);
  if (Object.hasOwn(properties, name))
    return [{ schema: properties[name] as JsonSchema, path: `${path}.properties${step(name)}` }];
  const { additionalProperties } = schema;
  if (additionalProperties === undefined) return [];
  return [{ schema: additionalProperties as JsonSchema, path: `${path}.additionalProperties` }];
}

interface Others {
  readonly parts: readonly Part[];
  /** What their names hold to; undefined: any that no property has. */
  readonly name: readonly Part[] | undefined;
}

/** The properties without a name in the schema; undefined if there must be none. */
function otherProperties(parts: readonly ObjectPart[]): Others | undefined {
  const isClosed = parts.some(({ schema }) => schema["additionalProperties"] === false || listsNames(schema));
  const isOpen = parts.every(
    ({ schema }) =>
      schema["additionalProperties"] !== undefined || !("properties" in schema || "required" in schema),
  );
  if (isClosed || !isOpen) return undefined;
  const name = parts.flatMap(({ schema, path }): Part[] =>
    schema["propertyNames"] === undefined
      ? []
      : [{ schema: schema["propertyNames"] as JsonSchema, path: `${path}.propertyNames` }],
  );
  const isNamed = parts.some(({ schema }) => "properties" in schema || "required" in schema);
  const saysMore = name.some(
    ({ schema }) => !(typeof schema === "object" && Object.keys(schema).join() === "type"),
  );
  if (saysMore && isNamed)
    throw new SchemaError(name[0]!.path, "expected no named properties beside it, got some. Leave it out.");
  return {
    parts: parts.flatMap(({ schema, path }): Part[] =>
      schema["additionalProperties"] === undefined
        ? []
        : [{ schema: schema["additionalProperties"] as JsonSchema, path: `${path}.additionalProperties` }],
    ),
    name: saysMore ? [{ schema: { type: "string" }, path: "$ name" }, ...name] : undefined,
  };
}

const listsNames = (schema: ObjectPart["schema"]): boolean => {
  const { propertyNames: names } = schema;
  return typeof names === "object" && names !== null && "enum" in names;
};

function listedNames({ schema, path }: ObjectPart): readonly string[] {
  return listsNames(schema)
    ? ((
        readList(schema["propertyNames"] as ObjectPart["schema"], "enum", `${path}.propertyNames`) ?? []
      ).filter((name) => typeof name === "string") as string[])
    : [];
}

/** A name that none of these equals: written without escapes, which could spell them in other ways. */
function otherName(names: readonly string[]): Expression {
  if (names.length === 0) return stringOf(0, Infinity);
  return quoted(unlike(names.map((name) => Array.from(name))));
}

function unlike(names: readonly (readonly string[])[]): Expression {
  const isName = names.some(({ length }) => length === 0);
  const firsts = [...new Set(names.flatMap(([first]) => first ?? []))];
  const codes = firsts.map((first) => only(first.codePointAt(0)!)).reduce(union, []);
  const others = sequence(set(intersection(PLAIN, complement(codes))), repeat(set(PLAIN), 0));
  const alike = firsts.map((first) =>
    sequence(
      set(intersection(PLAIN, only(first.codePointAt(0)!))),
      unlike(names.filter((name) => name[0] === first).map((name) => name.slice(1))),
    ),
  );
  return choice(...(isName ? [] : [EMPTY]), others, ...alike);
}
