// Output: answers on stdout, everything else on stderr. Colours only on terminals.
import type { Io, Sink } from "./io.ts";
import { WordWrap } from "./word-wrap.ts";

// Control characters except newline and tab: a model must not move the cursor or rename the window.
const CONTROL = /(?![\n\t])\p{Cc}/gu;

/** Bytes of the log that are buffered for a slow reader. */
const LOG_BYTES = 4 * 2 ** 20;
/** How long a reader of the log may take for the rest when the process ends. */
const LAST_LINES_MS = 1000;

export class Output {
  /** Resolves when the reader of stdout is gone (`| head`); rejects if stdout cannot be written. */
  readonly ended: Promise<void>;
  /** Whether terminals take escape sequences. */
  readonly movesCursor: boolean;
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #color: boolean;
  #failure: Error | undefined;
  /** The reader of stdout is gone. */
  #left = false;
  /** stdout is a log: the work goes on without a reader. */
  #isLog = false;
  #dropped = 0;

  constructor({ stdout, stderr, env }: Pick<Io, "stdout" | "stderr" | "env">) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.movesCursor = env["TERM"] !== "dumb";
    this.#color = !env["NO_COLOR"] && env["TERM"] !== "dumb";
    this.ended = new Promise((resolve, reject) => {
      stdout.on("error", (error: NodeJS.ErrnoException) => {
        if (this.#isLog) {
          if (!this.#left)
            this.#say(`The log cannot be written any more: ${error.message}. The work goes on without it.`);
          this.#left = true;
        } else if (error.code === "EPIPE") {
          this.#left = true;
          resolve();
        } else {
          this.#failure = error;
          reject(new Error("stdout cannot be written", { cause: error }));
        }
      });
    });
    // run() handles the rejection, but only after its first await.
    this.ended.catch(() => {});
    // If stderr fails, there is nowhere to report it.
    stderr.on("error", () => {});
  }

  /**
   * Makes stdout a log, for work that must neither end with the log's reader nor wait for it: lines that the
   * reader does not take are dropped, with a note on stderr.
   */
  becomeLog(): void {
    this.#isLog = true;
  }

  get stdoutIsTerminal(): boolean {
    return this.#stdout.isTTY === true;
  }

  get stderrIsTerminal(): boolean {
    return this.#stderr.isTTY === true;
  }

  /** Writes a piece of an answer. */
  write(text: string): void {
    this.#stdout.write(this.stdoutIsTerminal ? text.replace(CONTROL, "") : text);
  }

  /**
   * Begins a text in the first column of stdout. At a terminal, its words wrap at the width.
   * @returns what writes a piece of it
   */
  wrapping(): (text: string) => void {
    if (!this.stdoutIsTerminal || !this.movesCursor || !this.#stdout.columns)
      return (text) => this.write(text);
    const wrap = new WordWrap(() => this.#stdout.columns ?? 80);
    return (text) => this.#stdout.write(wrap.push(text.replace(CONTROL, "")));
  }

  /** Writes dimmed text to stdout, before an answer. */
  writeDim(text: string): void {
    this.#stdout.write(dim(text.replace(CONTROL, ""), this.stdoutIsTerminal && this.#color));
  }

  json(value: unknown): void {
    if (this.#isLog && (this.#left || this.#isBehind())) return;
    this.#stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Writes a line of the log for people. */
  logLine(text: string): void {
    if (!this.#left && !this.#isBehind()) this.write(`${text}\n`);
  }

  /** Whether the log's buffer is full. Counts dropped lines; notes when dropping begins and ends. */
  #isBehind(): boolean {
    const behind = this.#stdout.writableLength > LOG_BYTES;
    if (behind && this.#dropped === 0) this.#say("The log's reader is too slow: lines are dropped.");
    if (!behind && this.#dropped > 0) this.#say(`The log continues. Lines dropped: ${this.#dropped}.`);
    this.#dropped = behind ? this.#dropped + 1 : 0;
    return behind;
  }

  /** Writes a line about the work to stderr: statistics, hints. */
  note(line: string): void {
    if (!this.#left || this.#isLog) this.#say(line);
  }

  #say(line: string): void {
    const { columns } = this.#stderr;
    const plain = line.replace(CONTROL, "");
    const text = this.stderrIsTerminal && columns ? wrapRows(plain, columns) : plain;
    this.#stderr.write(`${dim(text, this.stderrIsTerminal && this.#color)}\n`);
  }

  /** Writes dimmed text to stderr: what a model thinks. */
  think(text: string): void {
    if (!this.#left) this.#stderr.write(dim(text.replace(CONTROL, ""), this.stderrIsTerminal && this.#color));
  }

  /** Shows a line at a terminal until `clearStatus`. Without colours it stays. */
  status(text: string): void {
    if (this.stderrIsTerminal) this.#stderr.write(this.#color ? dim(text, true) : `${text}\n`);
  }

  /** Shows a line at a terminal with colours in place of the last; empty: none. */
  replaceStatus(text: string): void {
    this.clearStatus();
    if (this.#color && text !== "") this.status(text);
  }

  clearStatus(): void {
    if (this.stderrIsTerminal && this.#color) this.#stderr.write("\r\u001b[2K");
  }

  /** Writes text to stderr as it is. */
  writeError(text: string): void {
    this.#stderr.write(text);
  }

  /** Bold text, if stderr is a terminal with colours: the prompt of the chat. */
  bold(text: string): string {
    return this.stderrIsTerminal && this.#color ? `\u001b[1m${text}\u001b[22m` : text;
  }

  /** Waits until stdout has taken all that was written. @throws Error if it cannot be written */
  async flush(): Promise<void> {
    if (!this.#stdout.destroyed)
      await new Promise<void>((resolve) => {
        this.#stdout.write("", () => resolve());
        if (this.#isLog) setTimeout(resolve, LAST_LINES_MS);
      });
    if (this.#failure) await this.ended;
  }
}

const dim = (text: string, color: boolean): string => (color ? `\u001b[2m${text}\u001b[22m` : text);

/** Wraps lines at the terminal's width. The second column of a table keeps its place, unless it is narrow. */
function wrapRows(text: string, columns: number): string {
  const wrapRow = (row: string): string => {
    const column = /^\S.*? {2,}(?=\S)/.exec(row)?.[0].length ?? 0;
    return new WordWrap(() => columns, column <= columns / 2 ? column : 2).push(row);
  };
  return text.split("\n").map(wrapRow).join("\n");
}
