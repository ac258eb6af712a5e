/** The template wants more work than any conversation needs. */
export class BudgetExceeded extends Error {}

/** The template uses something of Python's jinja2 that is not rendered here. */
export class Unsupported extends Error {}

/** Python's jinja2 would raise here, too. */
export class TemplateFailure extends Error {}

export function fail(message: string): never {
  throw new TemplateFailure(message);
}

export function unsupported(what: string): never {
  throw new Unsupported(what);
}

/** Far above any honest text: a request's body has at most 4 MB. */
const maxTextLength = 1 << 24;
/** A backstop: the budget of steps ends most runs long before, on a machine that is not busy. */
const maxMilliseconds = 3000;

/**
 * The work that one run may do, in steps of the evaluator. A text that is read or built counts by its length, before that
 * happens.
 */
export class Meter {
  #left: number;
  #unseen = 0;
  #calls = 0;
  readonly #end = performance.now() + maxMilliseconds;

  constructor(budget: number) {
    this.#left = budget;
  }

  step(steps = 1): void {
    this.#left -= steps;
    this.#unseen += steps;
    if (!(this.#left >= 0)) {
      throw new BudgetExceeded("a template that does not come to an end in reasonable time");
    }
    if (this.#unseen < 4096) return;
    this.#unseen = 0;
    if (performance.now() > this.#end) {
      throw new BudgetExceeded(`a template that takes more than ${maxMilliseconds / 1000} s`);
    }
  }

  /** Calls within calls, at most so many. */
  within<T>(most: number, action: () => T): T {
    if (++this.#calls > most) throw new BudgetExceeded(`macros within macros, more than ${most} deep`);
    const result = action();
    this.#calls--;
    return result;
  }

  /** `length` characters are about to be read. */
  read(length: number): void {
    if (length > 0) this.step(length / 64);
  }

  /** A text of `length` characters is about to be built. */
  build(length: number): void {
    if (length > maxTextLength) throw new BudgetExceeded(`a text of over ${maxTextLength} characters`);
    if (length > 0) this.step(length / 16);
  }
}
