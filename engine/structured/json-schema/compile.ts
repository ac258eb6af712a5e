// A JSON Schema as a grammar of JSON texts that it allows. Where a schema leaves something open that its
// author seldom means, less is allowed than it says: properties and items that it does not name need
// `additionalProperties` and `items`, and a schema without a type is of the types that its keywords are
// about.
import type { JsonSchema } from "../../types/format.ts";
import { choice, type Expression, type Grammar, literal, literals, NOTHING, rule } from "../grammar.ts";
import { arrayText } from "./arrays.ts";
import type { Compiler } from "./compiler.ts";
import { refuseOverlap } from "./exclusive.ts";
import { ANY_RULES, ANY_VALUE, valueText } from "./json-text.ts";
import { KEYWORDS_OF, SchemaError, TYPES, type TypeName, wrong } from "./keywords.ts";
import { numberText } from "./number-schema.ts";
import { objectText } from "./objects.ts";
import { alternatives, flatten, keyOf, type ObjectPart, type Part } from "./schema-part.ts";
import { stringText } from "./strings.ts";
import { isListed, validates } from "./validates.ts";

/** Combinations of the options of several `anyOf`, at most. */
const MAX_COMBINATIONS = 64;
/** Values of `enum` that are no texts, at most. */
const MAX_VALUES = 1000;
/** Rules, at most: combinations in combinations multiply. */
const MAX_RULES = 50_000;

/** @throws SchemaError, SyntaxError for what cannot be held to */
export function schemaGrammar(schema: JsonSchema): Grammar {
  const compiler = new SchemaCompiler(schema);
  const start = compiler.compile([{ schema, path: "$" }]);
  return { start, rules: compiler.rules };
}

class SchemaCompiler implements Compiler {
  readonly root: JsonSchema;
  readonly rules = new Map<string, Expression>(ANY_RULES);

  constructor(root: JsonSchema) {
    this.root = root;
  }

  add(rules: ReadonlyMap<string, Expression>): void {
    for (const [name, body] of rules) this.rules.set(name, body);
    if (this.rules.size > MAX_RULES)
      throw new SchemaError("$", `expected at most ${MAX_RULES} rules, got more. Make it smaller.`);
  }

  compile(parts: readonly Part[]): Expression {
    const flat = flatten(parts, this.root);
    if (!flat) return NOTHING;
    if (flat.length === 0) return rule(ANY_VALUE);
    const name = keyOf(flat);
    if (!this.rules.has(name)) {
      this.add(new Map([[name, NOTHING]])); // It may refer to itself.
      this.rules.set(name, this.#text(flat));
    }
    return rule(name);
  }

  #text(parts: readonly ObjectPart[]): Expression {
    const groups = parts.flatMap(alternatives);
    if (groups.length > 0) return this.#combined(parts, groups);
    const listed = listedValues(parts);
    if (listed) {
      const valid = listed.filter((value) => validates(value, parts, this.root));
      const isText = (value: unknown) => typeof value === "string";
      const others = valid.filter((value) => !isText(value));
      if (others.length > MAX_VALUES)
        throw wrong(parts[0]!.path, "enum", `at most ${MAX_VALUES} values other than texts`, others.length);
      return choice(
        literals(valid.filter(isText).map((text) => JSON.stringify(text))),
        ...others.map(valueText),
      );
    }
    return choice(...typesOf(parts).map((type) => this.#ofType(type, parts)));
  }

  #combined(parts: readonly ObjectPart[], groups: readonly (readonly Part[])[]): Expression {
    for (const part of parts) refuseOverlap(part, this.root);
    const chosen = parts.map((part) => ({ ...part, isChosen: true as const }));
    let combinations: (readonly Part[])[] = [[]];
    for (const options of groups) {
      combinations = combinations.flatMap((combination) => options.map((option) => [...combination, option]));
      if (combinations.length > MAX_COMBINATIONS)
        throw new SchemaError(
          parts[0]!.path,
          `expected at most ${MAX_COMBINATIONS} combinations of anyOf and oneOf, got more. Simplify it.`,
        );
    }
    return choice(...combinations.map((combination) => this.compile([...chosen, ...combination])));
  }

  #ofType(type: TypeName, parts: readonly ObjectPart[]): Expression {
    switch (type) {
      case "null":
        return literal("null");
      case "boolean":
        return literals(["true", "false"]);
      case "integer":
      case "number":
        return numberText(parts, type === "integer", this);
      case "string":
        return stringText(parts, this);
      case "array":
        return arrayText(parts, this);
      case "object":
        return objectText(parts, this);
    }
  }
}

/** The values of `const` and `enum`; undefined: any. */
function listedValues(parts: readonly ObjectPart[]): readonly unknown[] | undefined {
  const lists = parts.flatMap(({ schema, path }) => {
    const { enum: listed } = schema;
    if (listed !== undefined && !Array.isArray(listed)) throw wrong(path, "enum", "a list", listed);
    return [...(Array.isArray(listed) ? [listed] : []), ...("const" in schema ? [[schema["const"]]] : [])];
  });
  const [first, ...others] = lists;
  return first?.filter((value: unknown) => others.every((list) => isListed(value, list)));
}

/** The types that all allow, by `type` or by the keywords that are about one. */
function typesOf(parts: readonly ObjectPart[]): readonly TypeName[] {
  const said = parts.map(({ schema, path }) => {
    if (schema["type"] === undefined) return undefined;
    const types = [schema["type"]].flat();
    for (const type of types)
      if (!TYPES.includes(type as TypeName)) throw wrong(path, "type", TYPES.join(", "), type);
    return types as TypeName[];
  });
  const lists = said.filter((types) => types !== undefined);
  if (lists.length === 0) {
    const about = TYPES.filter((type) =>
      KEYWORDS_OF[type]?.some((name) => parts.some(({ schema }) => name in schema)),
    );
    return about.length > 0 ? about : TYPES.filter((type) => type !== "integer");
  }
  const allowed = (types: readonly TypeName[], type: TypeName) =>
    types.includes(type) || (type === "integer" && types.includes("number"));
  const common = TYPES.filter((type) => lists.every((types) => allowed(types, type)));
  // A number may be whole.
  return common.includes("number") ? common.filter((type) => type !== "integer") : common;
}
