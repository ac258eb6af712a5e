// The two streams: answers on stdout, everything else on stderr; colours only where a terminal shows them.
import type { Io, Sink } from "./io.ts";

// Control characters other than newline and tab: a model must not move the cursor or retitle the window.
const CONTROL = /(?![\n\t])\p{Cc}/gu;

/** What is kept of a log for a reader that is slow. */
const LOG_BYTES = 4 * 2 ** 20;
/** How long such a reader has when the process ends. */
const LAST_LINES_MS = 1000;

export class Output {
  /** Resolves when the reader of stdout has gone (`| head`); rejects where stdout cannot be written. */
  readonly ended: Promise<void>;
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #color: boolean;
  #failure: Error | undefined;
  /** The reader has gone: the rest of the work is nobody's business. */
  #left = false;
  /** What stdout takes is a log: the work goes on without its reader. */
  #isLog = false;
  #dropped = 0;

  constructor({ stdout, stderr, env }: Pick<Io, "stdout" | "stderr" | "env">) {
    this.#stdout = stdout;
    this.#stderr = stderr;
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
    // run() races this promise, but not before its first await.
    this.ended.catch(() => {});
    // Nobody is left to tell when stderr fails.
    stderr.on("error", () => {});
  }

  /**
   * From here on stdout is a log of something that must not end with its reader, nor wait for it: lines that it does not take are
   * dropped, and stderr is told.
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

  /** A piece of the answer. */
  write(text: string): void {
    this.#stdout.write(this.stdoutIsTerminal ? text.replace(CONTROL, "") : text);
  }

  /** Dimmed text on stdout, before the answer. */
  writeDim(text: string): void {
    this.#stdout.write(dim(text.replace(CONTROL, ""), this.stdoutIsTerminal && this.#color));
  }

  json(value: unknown): void {
    if (this.#isLog && (this.#left || this.#isBehind())) return;
    this.#stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Counts a line that is dropped, and says so when lines begin and end to be. */
  #isBehind(): boolean {
    const behind = this.#stdout.writableLength > LOG_BYTES;
    if (behind && this.#dropped === 0) this.#say("The log's reader is behind: lines are dropped.");
    if (!behind && this.#dropped > 0)
      this.#say(`The log goes on. Lines that were dropped: ${this.#dropped}.`);
    this.#dropped = behind ? this.#dropped + 1 : 0;
    return behind;
  }

  /** A line about the work: statistics, hints. */
  note(line: string): void {
    if (!this.#left || this.#isLog) this.#say(line);
  }

  #say(line: string): void {
    this.#stderr.write(`${dim(line, this.stderrIsTerminal && this.#color)}\n`);
  }

  /** Text on stderr as it is. */
  writeError(text: string): void {
    this.#stderr.write(text);
  }

  /** Bold where stderr shows it: the prompt of the chat. */
  bold(text: string): string {
    return this.stderrIsTerminal && this.#color ? `\u001b[1m${text}\u001b[22m` : text;
  }

  /** Waits until stdout has taken what was written. @throws where it could not. */
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
