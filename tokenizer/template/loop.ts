import { equal } from "./compare.ts";
import { fail } from "./meter.ts";
import type { Expression, Scope, Target } from "./scope.ts";
import type { Run } from "./text.ts";
import { isTrue, iterate, orElse, Thing, Undefined, type Value } from "./values.ts";

/** The variable `loop` inside a for loop. */
export class Loop extends Thing {
  index0 = -1;
  readonly depth0: number;
  readonly #run: Run;
  readonly #items: Iterator<Value>;
  #ahead: Value[] = [];
  #length: number | undefined;
  #before: Value = new Undefined("there is no previous item");
  #current: Value = this.#before;
  #changed: readonly Value[] | undefined;

  constructor(
    run: Run,
    items: Iterable<Value>,
    length: number | undefined,
    depth0: number,
    call: Thing["call"] = () => fail("The loop must have the 'recursive' marker to be called recursively."),
  ) {
    super("loop", [], call);
    this.#run = run;
    this.#items = items[Symbol.iterator]();
    this.#length = length;
    this.depth0 = depth0;
  }

  /** Advances to the next item; undefined at the end. */
  next(): Value | undefined {
    const item = this.#ahead.length > 0 ? this.#ahead.shift() : this.#read();
    if (item === undefined) return undefined;
    this.index0++;
    this.#before = this.index0 === 0 ? this.#before : this.#current;
    this.#current = item;
    return item;
  }

  #read(): Value | undefined {
    const { done, value } = this.#items.next();
    return done ? undefined : value;
  }

  #peek(): Value | undefined {
    if (this.#ahead.length === 0) {
      const item = this.#read();
      if (item !== undefined) this.#ahead.push(item);
    }
    return this.#ahead[0];
  }

  get length(): number {
    if (this.#length === undefined) {
      for (let item = this.#read(); item !== undefined; item = this.#read()) {
        this.#run.meter.step();
        this.#ahead.push(item);
      }
      this.#length = this.index0 + 1 + this.#ahead.length;
    }
    return this.#length;
  }

  override attribute(name: string): Value | undefined {
    return Object.hasOwn(loopAttributes, name) ? loopAttributes[name]?.(this) : undefined;
  }

  get last(): boolean {
    return this.#peek() === undefined;
  }

  get previous(): Value {
    return this.#before;
  }

  get following(): Value {
    return orElse(this.#peek(), () => new Undefined("there is no next item"));
  }

  hasChanged(values: readonly Value[]): boolean {
    const before = this.#changed;
    this.#changed = values;
    return !(before && before.length === values.length && equal(this.#run.meter, before, values));
  }

  override asText(): string {
    return `<LoopContext ${this.index0 + 1}/${this.length}>`;
  }
}

const bound = (call: NonNullable<Thing["call"]>): Thing => new Thing("method", [], call);

const loopAttributes: Readonly<Record<string, (loop: Loop) => Value>> = {
  index: (loop) => loop.index0 + 1,
  index0: (loop) => loop.index0,
  revindex: (loop) => loop.length - loop.index0,
  revindex0: (loop) => loop.length - loop.index0 - 1,
  first: (loop) => loop.index0 === 0,
  last: (loop) => loop.last,
  length: (loop) => loop.length,
  depth: (loop) => loop.depth0 + 1,
  depth0: (loop) => loop.depth0,
  previtem: (loop) => loop.previous,
  nextitem: (loop) => loop.following,
  cycle: (loop) =>
    bound((items) => orElse(items[loop.index0 % items.length], () => fail("no items for cycling given"))),
  changed: (loop) => bound((values) => loop.hasChanged(values)),
};

/** The items that pass the `if` of a loop. Lazy: each is tested when it is asked for. */
export function* filterItems(scope: Scope, items: Value, target: Target, test: Expression): Generator<Value> {
  const inner = scope.inner();
  for (const item of iterate(items)) {
    scope.run.meter.step(2);
    target(inner, item);
    if (isTrue(test(inner))) yield item;
  }
}
