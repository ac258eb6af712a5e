// A chat template is a program that came with the model. This file runs it on a budget.
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";

export type Program = ReturnType<typeof parse>;
type Statement = Parameters<Interpreter["evaluate"]>[0];
type Value = ReturnType<Interpreter["evaluate"]>;

/** Far above any real template (v0.3 with tools: 5,000 characters). */
const maxTemplateLength = 1 << 17;
/** The lexer is quadratic in a run of blanks. */
const maxBlanks = 1024;
const maxTextLength = 1 << 26;
const maxRange = 1 << 14;

/** The template wants more work than any conversation needs. */
export class BudgetExceeded extends Error {}

/** The template called `raise_exception`. */
export class TemplateRaised extends Error {}

/** Parses a template with the whitespace rules that Python's transformers sets (trim_blocks, lstrip_blocks). */
export function compile(source: string): Program {
  if (source.length > maxTemplateLength) {
    throw new BudgetExceeded(`a template of ${source.length} characters, more than ${maxTemplateLength}`);
  }
  if (new RegExp(`\\s{${maxBlanks}}`).test(source)) {
    throw new BudgetExceeded(`${maxBlanks} blanks in a row`);
  }
  return parse(tokenize(source, { trim_blocks: true, lstrip_blocks: true }));
}

/**
 * Runs a program with these variables. Bounded are the steps, with long lists and texts counted as many steps, the
 * length of every text, and of a `range`. Not bounded is what a single filter does with a text within that length;
 * it is linear or a sort.
 */
export function run(program: Program, variables: Readonly<Record<string, unknown>>, budget: number): string {
  const environment = new Environment();
  for (const name of ["true", "True"]) environment.set(name, true);
  for (const name of ["false", "False"]) environment.set(name, false);
  for (const name of ["none", "None"]) environment.set(name, null);
  environment.set("range", range);
  environment.set("strftime_now", strftimeNow);
  environment.set("raise_exception", (message: unknown) => {
    throw new TemplateRaised(String(message));
  });
  for (const [name, value] of Object.entries(variables)) environment.set(name, value);
  return String(new BoundedInterpreter(environment, budget).run(program).value);
}

class BoundedInterpreter extends Interpreter {
  #budget: number;

  constructor(environment: Environment, budget: number) {
    super(environment);
    this.#budget = budget;
  }

  /** The library comes through here for every node, so each turn of a loop or a macro is seen. */
  override evaluate(statement: Statement, environment: Environment): Value {
    const result = super.evaluate(statement, environment);
    this.#budget -= cost(result.value);
    if (this.#budget < 0)
      throw new BudgetExceeded("a template that does not come to an end in reasonable time");
    return result;
  }
}

/**
 * A loop over a list with an empty body is seen only as the evaluation of that list: so its length counts, and
 * more than once, for a turn of a loop takes the library longer than a step.
 */
function cost(value: unknown): number {
  if (typeof value === "string") {
    if (value.length > maxTextLength) throw new BudgetExceeded(`a text of over ${maxTextLength} characters`);
    return 1 + value.length / 1024;
  }
  if (Array.isArray(value)) return 1 + 4 * value.length;
  return value instanceof Map ? 1 + 4 * value.size : 1;
}

function range(from: number, to?: number, step = 1): number[] {
  const [start, stop] = to === undefined ? [0, from] : [from, to];
  const length = Math.ceil((stop - start) / step);
  if (!(Math.abs(length) <= maxRange))
    throw new BudgetExceeded(`range() of ${length}, more than ${maxRange}`);
  return Array.from({ length: Math.max(0, length) }, (_, i) => start + i * step);
}

/** The few fields that templates write dates with; English whatever the machine speaks, as in Python's C locale. */
function strftimeNow(format: unknown): string {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, "0");
  const month = (style: "long" | "short"): string =>
    new Intl.DateTimeFormat("en", { month: style }).format(now);
  const fields: Readonly<Record<string, () => string>> = {
    "%Y": () => String(now.getFullYear()),
    "%m": () => two(now.getMonth() + 1),
    "%d": () => two(now.getDate()),
    "%H": () => two(now.getHours()),
    "%M": () => two(now.getMinutes()),
    "%S": () => two(now.getSeconds()),
    "%B": () => month("long"),
    "%b": () => month("short"),
    "%%": () => "%",
  };
  return String(format).replace(/%[YmdHMSBb%]/g, (field) => fields[field]?.() ?? field);
}
