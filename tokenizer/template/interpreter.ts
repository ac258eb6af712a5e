// A chat template is a program that came with the model. This file reads it and runs it on a budget.
import { globals } from "./globals.ts";
import { lex } from "./lexer.ts";
import { BudgetExceeded, Meter } from "./meter.ts";
import type { Statement } from "./output.ts";
import { Scope } from "./scope.ts";
import { StatementParser } from "./statements.ts";
import { joined, type Run } from "./text.ts";
import { toValue } from "./values.ts";

export type Program = Statement;

/** Far above any real template (v0.3 with tools: 5,000 characters). */
const maxTemplateLength = 1 << 17;

/**
 * Reads a template with the whitespace rules that Python's transformers sets (trim_blocks, lstrip_blocks). What cannot
 * be rendered is refused here, by name.
 */
export function compile(source: string): Program {
  if (source.length > maxTemplateLength) {
    throw new BudgetExceeded(`a template of ${source.length} characters, more than ${maxTemplateLength}`);
  }
  return shallow(() => new StatementParser(lex(source)).template());
}

export interface RunOptions {
  /** Steps of the evaluator; a text costs a step for every 64 characters read and every 16 built. */
  readonly budget: number;
  /** Characters that stand for others, so that no escape may change them. */
  readonly verbatim: string;
}

/** The text that a program gives with these variables. */
export function run(
  program: Program,
  variables: Readonly<Record<string, unknown>>,
  { budget, verbatim }: RunOptions,
): string {
  const run: Run = { meter: new Meter(budget), verbatim };
  const outer = new Scope(run, undefined, globals(run));
  const scope = outer.inner(Object.entries(variables).map(([name, value]) => [name, toValue(value)]));
  const out: string[] = [];
  return shallow(() => {
    program(scope, out);
    return joined(run, out, "");
  });
}

/** A stack that is too small is one more bound. */
function shallow<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BudgetExceeded("values or calls nested too deep");
  }
}
