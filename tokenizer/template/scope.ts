import { fail } from "./meter.ts";
import type { Run } from "./text.ts";
import { toList, Undefined, type Value } from "./values.ts";

/** The variables of a part of the template. A name that is not found here is looked up in the outer scope. */
export class Scope {
  readonly run: Run;
  readonly #outer: Scope | undefined;
  readonly #values: Map<string, Value>;

  constructor(run: Run, outer?: Scope, values: Iterable<readonly [string, Value]> = []) {
    this.run = run;
    this.#outer = outer;
    this.#values = new Map(values);
  }

  /** A new scope inside this one. */
  inner(values?: Iterable<readonly [string, Value]>): Scope {
    return new Scope(this.run, this, values);
  }

  /** The value of a name, or Undefined. */
  get(name: string): Value {
    for (let scope: Scope | undefined = this; scope; scope = scope.#outer) {
      const value = scope.#values.get(name);
      if (value !== undefined) return value;
    }
    return new Undefined(`'${name}' is undefined`);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }
}

/** A compiled expression. */
export type Expression = (scope: Scope) => Value;

/** Assigns a value to the names on the left of an assignment. */
export type Target = (scope: Scope, value: Value) => void;

/** Several targets, separated by commas: each gets one item of the value. */
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
