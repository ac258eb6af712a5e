// Statements as functions that add to the output.
import type { Expression, Scope } from "./scope.ts";
import { joined, text } from "./text.ts";
import type { Value } from "./values.ts";

/** How a statement ended: `break` and `continue` skip the rest up to the loop. */
export type Ending = "break" | "continue" | undefined;

/** A statement, ready to run: appends its output to `out`. */
export type Statement = (scope: Scope, out: string[]) => Ending;

export const inTurn =
  (statements: readonly Statement[]): Statement =>
  (scope, out) => {
    for (const statement of statements) {
      const ending = statement(scope, out);
      if (ending !== undefined) return ending;
    }
    return undefined;
  };

export const written =
  (value: string): Statement =>
  ({ run }, out) => {
    run.meter.build(value.length);
    out.push(value);
    return undefined;
  };

export function print({ run }: Scope, out: string[], value: Value): undefined {
  const shown = text(run, value);
  run.meter.build(shown.length);
  out.push(shown);
}

export const printed =
  (value: Expression): Statement =>
  (scope, out) =>
    print(scope, out, value(scope));

export const scoped =
  (body: Statement): Statement =>
  (scope, out) =>
    body(scope.inner(), out);

/** Runs a statement and returns its output. */
export function captured(scope: Scope, body: Statement): string {
  const parts: string[] = [];
  body(scope, parts);
  return joined(scope.run, parts, "");
}
