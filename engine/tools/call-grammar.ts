// The texts of calls as expressions of a grammar.
import { shown, unsupported } from "../options/parameter.ts";
import { compiling } from "../structured/compiling.ts";
import {
  choice,
  EMPTY,
  type Expression,
  type Grammar,
  literal,
  literals,
  mapper,
  optional,
  rule,
  sequence,
} from "../structured/grammar.ts";
import { schemaGrammar } from "../structured/json-schema/compile.ts";
import { Machine } from "../structured/machine.ts";
import type { Tool } from "../types/tools.ts";
import type { Item } from "./wire.ts";

/** Tools whose arguments are kept compiled. */
const MAX_KEPT = 64;

/** What a model may call. */
export interface CallGrammar {
  readonly tools: readonly Tool[];
  readonly rules: Map<string, Expression>;
  /** The arguments of each tool. */
  readonly args: readonly Expression[];
}

const kept = new Map<string, Grammar>();

/**
 * @param tools of `all`: their places in the caller's list name them in errors
 * @throws TypeError with `parameter` for a schema that cannot be held to
 */
export function callGrammar(tools: readonly Tool[], all: readonly Tool[]): CallGrammar {
  const rules = new Map<string, Expression>();
  const args = tools.map((tool) => {
    const grammar = argumentsOf(tool, `tools[${all.indexOf(tool)}].parameters`);
    const prefix = `${tool.name} `;
    const rename = mapper((leaf) => (leaf.kind === "rule" ? rule(prefix + leaf.name) : leaf));
    for (const [name, body] of grammar.rules) rules.set(prefix + name, rename(body));
    return rename(grammar.start);
  });
  return { tools, rules, args };
}

function argumentsOf({ parameters = { properties: {} } }: Tool, where: string): Grammar {
  const { type = "object", ...rest } = typeof parameters === "boolean" ? {} : parameters;
  if (![type].flat().includes("object"))
    throw unsupported(
      where,
      `${where}: $.type: expected "object", as arguments are, got ${shown(type)}. Put the value into a property.`,
    );
  const schema = { type: "object", ...rest };
  const key = written(schema, where);
  return compiling(where, () => {
    const grammar = kept.get(key) ?? schemaGrammar(JSON.parse(key));
    kept.delete(key);
    kept.set(key, grammar);
    for (const old of [...kept.keys()].slice(0, -MAX_KEPT)) kept.delete(old);
    // Refused here, if it has no text or reads in circles.
    new Machine(grammar);
    return grammar;
  });
}

/** @throws TypeError for a schema that is not JSON */
function written(schema: object, where: string): string {
  try {
    return JSON.stringify(schema);
  } catch (error) {
    throw unsupported(where, `${where}: ${(error as Error).message}`);
  }
}

/**
 * Texts and holes without a control token between them.
 * @param tool the tool that is called, if its name came before
 */
export function itemsText(
  items: readonly Item[],
  { tools, args }: CallGrammar,
  id: string,
  tool?: Tool,
): Expression {
  const isNamed = items.some(({ kind }) => kind === "name");
  const hasArguments = items.some(({ kind }) => kind === "arguments");
  const partOf = (item: Item, i: number): Expression => {
    switch (item.kind) {
      case "text":
        return literal(item.text);
      case "name":
        return literal(tools[i]!.name);
      case "arguments":
        return args[i]!;
      case "id":
        return literal(id);
      default:
        return EMPTY;
    }
  };
  const textOf = (i: number) => sequence(...items.map((item) => partOf(item, i)));
  if (!isNamed) return textOf(tool ? tools.indexOf(tool) : 0);
  if (!hasArguments && items.length === 1) return literals(tools.map(({ name }) => name));
  return choice(...tools.map((_, i) => textOf(i)));
}

/** Calls in one text: each has its own id. */
export function callsText(
  {
    open,
    call,
    between,
    close,
  }: { open: readonly Item[]; call: readonly Item[]; between: string; close: string },
  grammar: CallGrammar,
  ids: readonly string[],
): Expression {
  const calls = ids.reduceRight<Expression>((rest, id, i) => {
    const own = itemsText(call, grammar, id);
    const whole = i + 1 < ids.length ? sequence(own, optional(rest)) : own;
    return i === 0 ? whole : sequence(literal(between), whole);
  }, EMPTY);
  return sequence(itemsText(open, grammar, ""), calls, literal(close));
}
