// A part of a schema with its path, and the parts that apply to the same value: those of allOf and $ref.
import type { JsonSchema } from "../../types/format.ts";
import { checkKeywords, readList, SchemaError, type SchemaObject, step } from "./keywords.ts";

/** One schema that a value has to hold to. */
export interface Part {
  readonly schema: JsonSchema;
  /** From the root: "$.properties.name". */
  readonly path: string;
  /** Set once it was flattened, and one of its `anyOf`, and of its `oneOf`, was chosen. */
  readonly isChosen?: true;
}

/** An object's part, checked. */
export type ObjectPart = Part & { readonly schema: SchemaObject };

export const keyOf = (parts: readonly Part[]): string =>
  parts.map(({ path, isChosen }) => path + (isChosen ? "!" : "")).join(" & ");

/** Parts that are looked at in a schema, at most: references and options in each other multiply. */
const MAX_LOOKS = 100_000;

/** Schemas for one value, at most. */
const MAX_PARTS = 256;

const looks = new WeakMap<object, number>();

function countLook(root: JsonSchema): void {
  if (typeof root !== "object") return;
  const count = (looks.get(root) ?? 0) + 1;
  looks.set(root, count);
  if (count > MAX_LOOKS)
    throw new SchemaError(
      "$",
      "expected fewer options and references in each other, got too many. Simplify it.",
    );
}

/**
 * All schemas that apply to the same value: `true` says nothing.
 * @returns undefined if one of them is `false`: no value is valid
 * @throws SchemaError
 */
export function flatten(parts: readonly Part[], root: JsonSchema): readonly ObjectPart[] | undefined {
  const found = new Map<string, ObjectPart>();
  const left = [...parts].reverse();
  for (let part = left.pop(); part; part = left.pop()) {
    const { schema, path } = part;
    countLook(root);
    if (schema === false) return undefined;
    if (schema === true) continue;
    if (typeof schema !== "object" || schema === null || Array.isArray(schema))
      throw new SchemaError(path, "expected a schema: an object, true or false. Correct it.");
    if (found.has(path)) continue;
    checkKeywords(schema, path);
    found.set(path, part as ObjectPart);
    if (found.size > MAX_PARTS)
      throw new SchemaError(
        path,
        `expected at most ${MAX_PARTS} schemas for one value, got more. Join them.`,
      );
    if (part.isChosen) continue; // The others are among the parts already.
    const all = readList(schema, "allOf", path) ?? [];
    left.push(
      ...all.map((each, i) => ({ schema: each as JsonSchema, path: `${path}.allOf[${i}]` })).reverse(),
    );
    if (schema["$ref"] !== undefined) left.push(resolve(schema["$ref"], root, `${path}.$ref`));
  }
  return [...found.values()];
}

/** @throws SchemaError for a reference that is not a JSON pointer (RFC 6901) inside the same schema */
function resolve(reference: unknown, root: JsonSchema, where: string): Part {
  const refused = (got: string) =>
    new SchemaError(where, `expected "#/…", a place in the same schema, got ${got}. Put it under $defs.`);
  if (typeof reference !== "string" || !/^#(\/|$)/.test(reference))
    throw refused(JSON.stringify(reference)?.slice(0, 80) ?? "nothing");
  let schema: unknown = root;
  let path = "$";
  for (const token of reference.split("/").slice(1)) {
    const name = decoded(token).replaceAll("~1", "/").replaceAll("~0", "~");
    const isList = Array.isArray(schema);
    if (typeof schema !== "object" || schema === null || !Object.hasOwn(schema, name))
      throw refused(`${JSON.stringify(reference.slice(0, 80))}, where there is none`);
    schema = (schema as Record<string, unknown>)[name];
    path += isList ? `[${name}]` : step(name);
  }
  return { schema: schema as JsonSchema, path };
}

function decoded(token: string): string {
  try {
    return decodeURIComponent(token);
  } catch {
    return token;
  }
}

/** The schemas of `anyOf` and of `oneOf`, of which one has to hold. */
export function alternatives({ schema, path, isChosen }: ObjectPart): readonly (readonly Part[])[] {
  if (isChosen) return [];
  return ["anyOf", "oneOf"].flatMap((name) => {
    const options = readList(schema, name, path);
    return options
      ? [options.map((each, i) => ({ schema: each as JsonSchema, path: `${path}.${name}[${i}]` }))]
      : [];
  });
}
