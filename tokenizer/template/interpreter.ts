// A chat template is a program that comes with the model. This file compiles it, and runs it within a budget.
import { globals } from "./globals.ts";
import { lex } from "./lexer.ts";
import { BudgetExceeded, Meter } from "./meter.ts";
import type { Statement } from "./output.ts";
import { Scope } from "./scope.ts";
import { StatementParser } from "./statements.ts";
import { joined, type Run } from "./text.ts";
import { toValue } from "./values.ts";

export type Program = Statement;

/** In characters. Far above published templates: Mistral's v0.3 with tools has 5,000. */
const MAX_TEMPLATE_LENGTH = 1 << 17;

/**
 * Compiles a template with the white space rules that transformers sets (trim_blocks, lstrip_blocks).
 * @throws Unsupported naming a feature that is not supported
 * @throws TemplateFailure for a syntax error
 * @throws BudgetExceeded for a template that is too long or nested too deep
 */
export function compile(source: string): Program {
  if (source.length > MAX_TEMPLATE_LENGTH) {
    throw new BudgetExceeded(`a template of ${source.length} characters, more than ${MAX_TEMPLATE_LENGTH}`);
  }
  return withStackBound(() => new StatementParser(lex(source)).template());
}

export interface RunOptions {
  /** Steps of the evaluator. A text costs a step for every 64 characters read or 16 characters built. */
  readonly budget: number;
  /** Placeholder characters, which are never escaped. */
  readonly verbatim: string;
}

/**
 * Runs a program with these variables and returns its text.
 * @throws BudgetExceeded, Unsupported, TemplateFailure, TemplateRaised
 */
export function run(
  program: Program,
  variables: Readonly<Record<string, unknown>>,
  { budget, verbatim }: RunOptions,
): string {
  const run: Run = { meter: new Meter(budget), verbatim };
  const outer = new Scope(run, undefined, globals(run));
  const scope = outer.inner(Object.entries(variables).map(([name, value]) => [name, toValue(value)]));
  const out: string[] = [];
  return withStackBound(() => {
    program(scope, out);
    return joined(run, out, "");
  });
}

/** A stack overflow counts as an exceeded budget. */
function withStackBound<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BudgetExceeded("values or calls nested too deep");
  }
}
