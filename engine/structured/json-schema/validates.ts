// Whether a value of `enum` or `const` is valid by the rest of its schema.
import type { JsonSchema } from "../../types/format.ts";
import { Machine, type State } from "../machine.ts";
import { readList, type SchemaObject, type TypeName } from "./keywords.ts";
import { alternatives, flatten, type ObjectPart, type Part } from "./schema-part.ts";
import { patternText } from "./strings.ts";

export const typeOf = (value: unknown): TypeName => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value as TypeName;
};

const isOfType = (value: unknown, type: unknown): boolean =>
  type === typeOf(value) || (type === "number" && typeOf(value) === "integer");

export const isEqual = (a: unknown, b: unknown): boolean => {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const [x, y] = [a, b] as Record<string, unknown>[];
  const names = Object.keys(x!);
  return (
    Array.isArray(a) === Array.isArray(b) &&
    names.length === Object.keys(y!).length &&
    names.every((name) => Object.hasOwn(y!, name) && isEqual(x![name], y![name]))
  );
};

/** Equal values, and no others, have the same text. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );

const texts = new WeakMap<readonly unknown[], ReadonlySet<string>>();

/** Lists may be as long as a schema: each is gone through once. */
export function isListed(value: unknown, list: readonly unknown[]): boolean {
  const known = texts.get(list) ?? new Set(list.map(textOf));
  texts.set(list, known);
  return known.has(textOf(value));
}

export function validates(value: unknown, parts: readonly Part[], root: JsonSchema): boolean {
  const flat = flatten(parts, root);
  return flat?.every((part) => holds(value, part, root)) ?? false;
}

function holds(value: unknown, part: ObjectPart, root: JsonSchema): boolean {
  const { schema, path } = part;
  const { type } = schema;
  if (type !== undefined && ![type].flat().some((each) => isOfType(value, each))) return false;
  if ("const" in schema && !isEqual(value, schema["const"])) return false;
  const listed = readList(schema, "enum", path);
  if (listed && !isListed(value, listed)) return false;
  if (!alternatives(part).every((options) => options.some((each) => validates(value, [each], root))))
    return false;
  if (typeof value === "number") return numberHolds(value, schema);
  if (typeof value === "string") return stringHolds(value, part);
  if (typeof value === "object" && value !== null) return membersHold(value, part, root);
  return true;
}

const bound = (schema: SchemaObject, name: string, none: number): number =>
  typeof schema[name] === "number" ? (schema[name] as number) : none;

const numberHolds = (value: number, schema: SchemaObject): boolean =>
  value >= bound(schema, "minimum", -Infinity) &&
  value <= bound(schema, "maximum", Infinity) &&
  value > bound(schema, "exclusiveMinimum", -Infinity) &&
  value < bound(schema, "exclusiveMaximum", Infinity) &&
  Number.isInteger(value / bound(schema, "multipleOf", value || 1));

function stringHolds(value: string, { schema, path }: ObjectPart): boolean {
  const length = Array.from(value).length;
  return (
    length >= bound(schema, "minLength", 0) &&
    length <= bound(schema, "maxLength", Infinity) &&
    (schema["pattern"] === undefined || matches(value, schema, path))
  );
}

const patterns = new WeakMap<SchemaObject, Machine>();

/** By the pattern's machine: its time grows with the text, where RegExp's may double with each character. */
function matches(value: string, schema: SchemaObject, path: string): boolean {
  const machine = patterns.get(schema) ?? new Machine({ start: patternText(schema, path), rules: new Map() });
  patterns.set(schema, machine);
  let state: State | null = machine.initial;
  for (const byte of new TextEncoder().encode(value)) state = state && machine.transition(state, byte);
  return state?.isEnd ?? false;
}

function membersHold(value: object, { schema, path }: ObjectPart, root: JsonSchema): boolean {
  const members = Object.entries(value);
  const count = members.length;
  const isList = Array.isArray(value);
  const [least, most] = isList ? ["minItems", "maxItems"] : ["minProperties", "maxProperties"];
  if (count < bound(schema, least!, 0) || count > bound(schema, most!, Infinity)) return false;
  const required = readList(schema, "required", path) ?? [];
  if (!isList && !required.every((name) => Object.hasOwn(value, String(name)))) return false;
  const repeated = (each: unknown, i: number) =>
    members.slice(0, i).some(([, other]) => isEqual(each, other));
  if (isList && schema["uniqueItems"] === true && value.some(repeated)) return false;
  const named = (isList ? schema["prefixItems"] : schema["properties"]) as
    | Record<string, JsonSchema>
    | undefined;
  const others = (isList ? schema["items"] : schema["additionalProperties"]) as JsonSchema | undefined;
  const names = isList ? undefined : (schema["propertyNames"] as JsonSchema | undefined);
  return members.every(([name, each]) => {
    const own = named && Object.hasOwn(named, name) ? named[name] : others;
    const holdsName =
      names === undefined || validates(name, [{ schema: names, path: `${path}.propertyNames` }], root);
    return (
      holdsName && (own === undefined || validates(each, [{ schema: own, path: `${path} ${name}` }], root))
    );
  });
}
