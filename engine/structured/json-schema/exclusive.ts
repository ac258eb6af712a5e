// `oneOf` is held to where its options exclude each other: by type, or by a property that tells them apart.
import type { JsonSchema } from "../../types/format.ts";
import { readList, readMap, SchemaError } from "./keywords.ts";
import { flatten, type ObjectPart, type Part } from "./schema-part.ts";
import { isEqual, typeOf } from "./validates.ts";

/** @throws SchemaError if a value might be valid by two options of its `oneOf` */
export function refuseOverlap({ schema, path, isChosen }: ObjectPart, root: JsonSchema): void {
  const options = isChosen ? undefined : readList(schema, "oneOf", path);
  if (!options) return;
  const parts = options.map((each, i): Part => ({ schema: each as JsonSchema, path: `${path}.oneOf[${i}]` }));
  parts.forEach((part, i) => {
    const other = parts.slice(0, i).find((before) => !excludes([before], [part], root));
    if (other)
      throw new SchemaError(
        part.path,
        `expected an option that excludes ${other.path} by its type, or by a required property with another const, got one that may hold as well. Use anyOf.`,
      );
  });
}

function excludes(a: readonly Part[], b: readonly Part[], root: JsonSchema): boolean {
  const [x, y] = [flatten(a, root), flatten(b, root)];
  if (!x || !y) return true;
  const [types, others] = [saidTypes(x), saidTypes(y)];
  if (types && others && !types.some((type) => others.includes(type))) return true;
  const [values, otherValues] = [listed(x), listed(y)];
  if (values && otherValues) return !values.some((value) => otherValues.some((each) => isEqual(each, value)));
  // Both have to be objects that need a property, with values that exclude each other.
  if (![types, others].every((each) => each?.length === 1 && each[0] === "object")) return false;
  return requiredOf(x).some(
    (name) => requiredOf(y).includes(name) && excludes(propertyOf(x, name), propertyOf(y, name), root),
  );
}

const listed = (parts: readonly ObjectPart[]): readonly unknown[] | undefined =>
  parts
    .map(({ schema, path }) => ("const" in schema ? [schema["const"]] : readList(schema, "enum", path)))
    .find((list) => list !== undefined);

/** `integer` counts as `number`: whole numbers are of both. */
function saidTypes(parts: readonly ObjectPart[]): readonly unknown[] | undefined {
  const asNumber = (type: unknown) => (type === "integer" ? "number" : type);
  const values = listed(parts);
  if (values) return values.map((value) => asNumber(typeOf(value)));
  const said = parts.map(({ schema }) => schema["type"]).find((type) => type !== undefined);
  return said === undefined ? undefined : [said].flat().map(asNumber);
}

const requiredOf = (parts: readonly ObjectPart[]): readonly unknown[] =>
  parts.flatMap(({ schema, path }) => readList(schema, "required", path) ?? []);

const propertyOf = (parts: readonly ObjectPart[], name: unknown): readonly Part[] =>
  parts.flatMap(({ schema, path }) => {
    const own = readMap(schema, "properties", path)[String(name)];
    return own === undefined ? [] : [{ schema: own as JsonSchema, path: `${path}.properties ${name}` }];
  });
