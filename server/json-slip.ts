// Finds where a text stops being JSON, and what was expected there. (The message of JSON.parse differs
// between versions of V8 and quotes the text.)

export interface JsonSlip {
  /** From 1, in characters of the text. */
  readonly line: number;
  readonly column: number;
  readonly expected: string;
  /** One character, or the end of the text. Longer parts of what a client sends are not repeated. */
  readonly got: string;
}

/** Thrown where the text stops being JSON. */
class Stop {
  readonly at: number;
  readonly expected: string;

  constructor(at: number, expected: string) {
    this.at = at;
    this.expected = expected;
  }
}

/** @param text one that JSON.parse refuses; its depth must be limited, as this recurses */
export function findSlip(text: string): JsonSlip | undefined {
  const stop = scan(text);
  if (!stop) return undefined;
  const before = text.slice(0, stop.at);
  const line = before.split("\n").length;
  const column = stop.at - before.lastIndexOf("\n");
  const char = String.fromCodePoint(text.codePointAt(stop.at) ?? 0);
  const got =
    stop.at >= text.length ? "the end" : (NAMES[char] ?? (/\p{C}/u.test(char) ? codeOf(char) : `'${char}'`));
  return { line, column, expected: stop.expected, got };
}

const NAMES: Readonly<Record<string, string>> = {
  "\n": "a line's end",
  "\r": "a line's end",
  "\t": "a tab",
  "'": "a single quote",
  "\u201c": "a curly quote",
  "\u201d": "a curly quote",
};

const codeOf = (char: string): string =>
  `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

function scan(text: string): Stop | undefined {
  let at = 0;
  const blanks = (): void => {
    while (/[ \t\r\n]/.test(text[at] ?? "")) at++;
  };
  const stop = (expected: string): never => {
    throw new Stop(at, expected);
  };
  /** Moves past a match of the sticky pattern at this position. */
  const pass = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at += found[0].length;
    return found !== null;
  };
  const string = (): void => {
    at++;
    for (;;) {
      pass(/[^"\\\u0000-\u001f]*/y);
      if (text[at] === '"') break;
      if (text[at] === undefined) stop("the string's closing \"");
      if (text[at] !== "\\") stop("\\n, \\t or another escape in a string");
      if (!pass(/\\(["\\/bfnrt]|u[\da-fA-F]{4})/y))
        stop('an escape: \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX');
    }
    at++;
  };
  const list = (end: "]" | "}", entry: () => void): void => {
    at++;
    blanks();
    if (text[at] === end) {
      at++;
      return;
    }
    for (;;) {
      entry();
      blanks();
      if (text[at] === end) break;
      if (text[at] !== ",") stop(`"," or "${end}"`);
      at++;
    }
    at++;
  };
  const member = (): void => {
    blanks();
    if (text[at] !== '"') stop("a name in double quotes");
    string();
    blanks();
    if (text[at] !== ":") stop('":"');
    at++;
    value();
  };
  const value = (): void => {
    blanks();
    if (text[at] === '"') string();
    else if (text[at] === "{") list("}", member);
    else if (text[at] === "[") list("]", value);
    else if (!pass(/(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?)(?![\w.+-])/y))
      stop("a value: a text in double quotes, a number, true, false, null, a list or an object");
  };
  try {
    value();
    blanks();
    if (at < text.length) stop("the end");
  } catch (error) {
    if (error instanceof Stop) return error;
    throw error;
  }
  return undefined;
}
