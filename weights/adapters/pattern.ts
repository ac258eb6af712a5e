// Regular expressions as Python writes them, from files that are not trusted. A pattern is a function from
// the positions where it may begin to those where it may end. So no expression takes exponential time, as it
// may in JavaScript's or Python's matcher.
import { mismatch, show } from "../errors.ts";

/** How many more steps the matches of all patterns of a file may take. */
export interface Budget {
  steps: number;
}

interface Subject {
  readonly text: string;
  /** @throws CheckpointError once the budget is spent */
  spend(steps: number): void;
}

type Positions = ReadonlySet<number>;
type Matcher = (subject: Subject, from: Positions) => Positions;
type IsIn = (char: string) => boolean;

const MAX_LENGTH = 2000;
const MAX_NESTING = 50;
const MAX_REPEATS = 1000;
const ADVICE = "Write it with characters, classes, groups, alternatives, lookaheads and repetitions only.";

const CLASSES: Readonly<Record<string, IsIn>> = {
  d: (char) => /[0-9]/.test(char),
  w: (char) => /\w/.test(char),
  s: (char) => /\s/.test(char),
};

/** Whether `path`, or its end after a dot, matches: Python's `re.match(rf"(.*\.)?({pattern})$", path)`. */
export function matchesEnd(pattern: Pattern, path: string): boolean {
  const starts = [...path].flatMap((char, i) => (char === "." ? [i + 1] : []));
  return pattern.ends(path, new Set([0, ...starts]));
}

/** Whether `text` as a whole matches: Python's `re.fullmatch(pattern, text)`. */
export const matchesWhole = (pattern: Pattern, text: string): boolean => pattern.ends(text, new Set([0]));

/** A parsed expression. Groups capture nothing. */
export class Pattern {
  readonly #source: string;
  readonly #where: string;
  readonly #budget: Budget;
  readonly #match: Matcher;
  #at = 0;
  #depth = 0;

  /** @param where for messages @throws CheckpointError for anything that is not supported */
  constructor(source: string, where: string, budget: Budget) {
    this.#source = source;
    this.#where = where;
    this.#budget = budget;
    if (source.length > MAX_LENGTH) throw this.#wrong(`more than ${MAX_LENGTH} characters`);
    this.#match = this.#alternatives();
    if (this.#at < source.length) throw this.#wrong('")" without "("');
  }

  /** Whether a match that begins at one of these positions ends where the text does. */
  ends(text: string, from: Positions): boolean {
    const spend = (steps: number): void => {
      this.#budget.steps -= steps;
      if (this.#budget.steps < 0) throw this.#wrong("one that takes too long");
    };
    return this.#match({ text, spend }, from).has(text.length);
  }

  #wrong(got: string): Error {
    return mismatch(
      this.#where,
      "a regular expression that is supported",
      `${got} in ${show(this.#source)}`,
      ADVICE,
    );
  }

  #peek(text: string): boolean {
    return this.#source.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#peek(text)) return false;
    this.#at += text.length;
    return true;
  }

  #next(): string {
    const char = this.#source[this.#at++];
    if (char === undefined) throw this.#wrong("no end");
    return char;
  }

  #alternatives(): Matcher {
    if (++this.#depth > MAX_NESTING) throw this.#wrong(`groups nested more than ${MAX_NESTING} deep`);
    const branches = [this.#sequence()];
    while (this.#take("|")) branches.push(this.#sequence());
    this.#depth--;
    const [only, ...others] = branches;
    if (only && others.length === 0) return only;
    return (subject, from) => union(branches.map((branch) => branch(subject, from)));
  }

  #sequence(): Matcher {
    const items: Matcher[] = [];
    while (this.#at < this.#source.length && !this.#peek("|") && !this.#peek(")"))
      items.push(this.#repeated(this.#atom()));
    return (subject, from) => items.reduce((positions, item) => item(subject, positions), from);
  }

  #repeated(item: Matcher): Matcher {
    const counts = this.#counts();
    if (!counts) return item;
    if (this.#take("+")) throw this.#wrong("a possessive repetition");
    this.#take("?"); // Whether the shortest match comes first does not change whether there is one.
    if (this.#counts()) throw this.#wrong("a repetition of a repetition");
    return repeat(item, ...counts);
  }

  #counts(): [least: number, most: number] | undefined {
    if (this.#take("*")) return [0, Infinity];
    if (this.#take("+")) return [1, Infinity];
    if (this.#take("?")) return [0, 1];
    const [found, least, comma, most] = /^\{(\d*)(,?)(\d*)\}/.exec(this.#source.slice(this.#at)) ?? [];
    // As in Python, "{}" and "{,}" with nothing to count are characters or all counts.
    if (found === undefined || found === "{}") return undefined;
    this.#at += found.length;
    const from = Number(least);
    const to = comma ? (most ? Number(most) : Infinity) : from;
    if (from > to || from > MAX_REPEATS || (to > MAX_REPEATS && to !== Infinity))
      throw this.#wrong(`the repetition ${found}`);
    return [from, to];
  }

  #atom(): Matcher {
    const char = this.#next();
    switch (char) {
      case "(":
        return this.#group();
      case "[":
        return oneOf(this.#class());
      case ".":
        return oneOf((each) => each !== "\n");
      case "^":
        return (_, from) => new Set([...from].filter((at) => at === 0));
      case "$":
        return ({ text }, from) => new Set([...from].filter((at) => at === text.length));
      case "\\":
        return oneOf(this.#escape());
      case "*":
      case "+":
      case "?":
        throw this.#wrong(`"${char}" with nothing before it`);
      default:
        return oneOf((each) => each === char);
    }
  }

  #group(): Matcher {
    const ahead = this.#take("?=") ? true : this.#take("?!") ? false : undefined;
    if (ahead === undefined && !this.#take("?:") && this.#peek("?")) throw this.#wrong("a special group");
    const inner = this.#alternatives();
    if (!this.#take(")")) throw this.#wrong('"(" without ")"');
    if (ahead === undefined) return inner;
    return (subject, from) =>
      new Set([...from].filter((at) => inner(subject, new Set([at])).size > 0 === ahead));
  }

  #escape(): IsIn {
    const char = this.#next();
    const known = CLASSES[char.toLowerCase()];
    if (known) return char === char.toLowerCase() ? known : (each) => !known(each);
    if (/\w/.test(char)) throw this.#wrong(`"\\${char}"`);
    return (each) => each === char;
  }

  #class(): IsIn {
    const negated = this.#take("^");
    const members: IsIn[] = [];
    do {
      const char = this.#next();
      const escaped = char === "\\";
      const special = escaped && /[a-z]/i.test(this.#source[this.#at] ?? "");
      if (special) {
        members.push(this.#escape());
        continue;
      }
      const first = escaped ? this.#next() : char;
      let last = first;
      if (this.#peek("-") && this.#source[this.#at + 1] !== "]") {
        this.#at++;
        last = this.#next();
        if (last === "\\") last = this.#next();
      }
      if (last < first) throw this.#wrong(`the range ${first}-${last}`);
      members.push((each) => first <= each && each <= last);
    } while (!this.#take("]"));
    return (char) => members.some((isIn) => isIn(char)) !== negated;
  }
}

const union = (sets: readonly Positions[]): Positions => new Set(sets.flatMap((each) => [...each]));

const oneOf =
  (isIn: IsIn): Matcher =>
  ({ text, spend }, from) => {
    spend(1 + from.size);
    return new Set([...from].flatMap((at) => (at < text.length && isIn(text[at] as string) ? [at + 1] : [])));
  };

function repeat(item: Matcher, least: number, most: number): Matcher {
  return (subject, from) => {
    let last = from;
    for (let i = 0; i < least && last.size > 0; i++) {
      subject.spend(1);
      last = item(subject, last);
    }
    let all = last;
    for (let i = least; i < most; i++) {
      subject.spend(1 + all.size);
      const before = all;
      last = item(subject, last);
      all = union([before, last]);
      if (all.size === before.size) break;
    }
    return all;
  };
}
