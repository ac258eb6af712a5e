// What OpenAI demands of a schema with `strict: true`:
// https://platform.openai.com/docs/guides/structured-outputs (supported schemas).
import { isObject, type JsonObject, own } from "../../weights/json.ts";
import { shown, unsupported } from "../options/parameter.ts";

/** Keywords that hold one schema, a list of schemas, and schemas by name. */
const ONE = ["items", "not", "contains", "additionalProperties"];
const LISTS = ["anyOf", "oneOf", "allOf", "prefixItems"];
const NAMED = ["properties", "$defs", "definitions"];

const step = (name: string): string =>
  /^[A-Za-z_$][\w$]{0,60}$/.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, 60))}]`;

/**
 * The root is an object, not a choice of several; each object names all its properties as required, and
 * allows no others.
 * @param field where the schema is in the request
 * @throws TypeError with `parameter`, the place in the schema
 */
export function checkStrict(schema: unknown, field: string): void {
  const root = isObject(schema) ? target(schema, schema) : undefined;
  if (root?.["type"] !== "object") throw wrong(`${field}.type`, '"object" at the root', root?.["type"]);
  checkPart(schema, field);
}

/** What a root that is only a reference refers to. */
function target(root: JsonObject, schema: JsonObject): JsonObject | undefined {
  const { $ref: reference } = schema;
  if (typeof reference !== "string" || "type" in schema) return schema;
  const found = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(reference);
  const parts = found && root[found[1] ?? ""];
  const part = isObject(parts) ? own(parts, found?.[2] ?? "") : undefined;
  return isObject(part) ? part : undefined;
}

function checkPart(schema: unknown, field: string): void {
  if (!isObject(schema)) return;
  const { type, properties, required, additionalProperties: others } = schema;
  if (isObject(properties) || type === "object" || (Array.isArray(type) && type.includes("object"))) {
    if (others !== false) throw wrong(`${field}.additionalProperties`, "false", others);
    const listed: unknown[] = Array.isArray(required) ? required : [];
    const missing = Object.keys(isObject(properties) ? properties : {}).find(
      (name) => !listed.includes(name),
    );
    if (missing !== undefined)
      throw wrong(`${field}.required`, `all properties, also ${shown(missing)}`, required);
  }
  for (const name of ONE) checkPart(schema[name], field + step(name));
  for (const name of LISTS) {
    const list = schema[name];
    if (!Array.isArray(list)) continue;
    for (const [i, part] of list.entries()) checkPart(part, `${field}.${name}[${i}]`);
  }
  for (const name of NAMED) {
    const parts = schema[name];
    if (!isObject(parts)) continue;
    for (const [key, part] of Object.entries(parts)) checkPart(part, field + step(name) + step(key));
  }
}

const wrong = (parameter: string, expected: string, got: unknown) =>
  unsupported(parameter, `${parameter}: expected ${expected} with strict: true, got ${shown(got)}.`);
