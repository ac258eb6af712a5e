import { fail } from "./meter.ts";
import type { Run } from "./text.ts";
import { toList, Undefined, type Value } from "./values.ts";

/** The names that a part of the template sees: its own, then those around it. */
export class Scope {
  readonly run: Run;
  readonly #around: Scope | undefined;
  readonly #values: Map<string, Value>;

  constructor(run: Run, around?: Scope, values: Iterable<readonly [string, Value]> = []) {
    this.run = run;
    this.#around = around;
    this.#values = new Map(values);
  }

  inner(values?: Iterable<readonly [string, Value]>): Scope {
    return new Scope(this.run, this, values);
  }

  get(name: string): Value {
    for (let scope: Scope | undefined = this; scope; scope = scope.#around) {
      const value = scope.#values.get(name);
      if (value !== undefined) return value;
    }
    return new Undefined(`'${name}' is undefined`);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }
}

/** An expression, ready to be evaluated. */
export type Expression = (scope: Scope) => Value;

/** Puts a value under the names of an assignment. */
export type Target = (scope: Scope, value: Value) => void;

/** Targets with commas between: each takes one item. */
export const unpacked =
  (targets: readonly Target[]): Target =>
  (scope, value) => {
    const items = toList(scope.run.meter, value);
    if (items.length !== targets.length) {
      fail(`${items.length} values to unpack, expected ${targets.length}`);
    }
    targets.forEach((target, i) => {
      target(scope, items[i] as Value);
    });
  };
