// Errors of templates, and the budget of a run.

/** The template needs more work than its budget allows. */
export class BudgetExceeded extends Error {}

/** The template uses a feature of jinja2 or Python that is not supported. */
export class Unsupported extends Error {}

/** An error in the template: jinja2 would raise here, too. */
export class TemplateFailure extends Error {}

export function fail(message: string): never {
  throw new TemplateFailure(message);
}

export function unsupported(what: string): never {
  throw new Unsupported(what);
}

/** In characters. Far above the text of any request: a body has at most 4 MB by default. */
const MAX_TEXT_LENGTH = 1 << 24;
/** A second bound. The budget of steps ends most runs long before, unless the machine is busy. */
const MAX_MS = 3000;

/** Counts the steps of one run. A text is counted by its length before it is read or built. */
export class Meter {
  #left: number;
  /** Steps since the clock was last read. */
  #sinceClock = 0;
  #calls = 0;
  readonly #end = performance.now() + MAX_MS;

  constructor(budget: number) {
    this.#left = budget;
  }

  step(steps = 1): void {
    this.#left -= steps;
    this.#sinceClock += steps;
    if (!(this.#left >= 0)) {
      throw new BudgetExceeded("a template that needs too many steps");
    }
    if (this.#sinceClock < 4096) return;
    this.#sinceClock = 0;
    if (performance.now() > this.#end) {
      throw new BudgetExceeded(`a template that takes more than ${MAX_MS / 1000} s`);
    }
  }

  /** Runs `action` as a nested call, at most `max` deep. */
  within<T>(max: number, action: () => T): T {
    if (++this.#calls > max) throw new BudgetExceeded(`macro calls nested more than ${max} deep`);
    const result = action();
    this.#calls--;
    return result;
  }

  /** Counts the reading of `length` characters. */
  read(length: number): void {
    if (length > 0) this.step(length / 64);
  }

  /** Counts the building of a text of `length` characters. */
  build(length: number): void {
    if (length > MAX_TEXT_LENGTH) throw new BudgetExceeded(`a text of over ${MAX_TEXT_LENGTH} characters`);
    if (length > 0) this.step(length / 16);
  }
}
