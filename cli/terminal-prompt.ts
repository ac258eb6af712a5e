// Reads lines at a terminal, with editing and history. Keys typed during an answer are kept for the next
// prompt.
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import type { Input, Sink } from "./io.ts";

interface Options {
  readonly input: Input;
  readonly output: Sink;
  /** Earlier lines, the latest first. */
  readonly history: string[];
  /** Ctrl-C during an answer or at an empty prompt. */
  readonly onInterrupt: () => void;
}

export class TerminalPrompt {
  readonly #readline: Interface;
  readonly #screen: Screen;
  readonly #typed: string[] = [];
  #waiting: ((line: string | undefined) => void) | undefined;
  #closed = false;

  constructor({ input, output, history, onInterrupt }: Options) {
    this.#screen = new Screen(output);
    this.#readline = createInterface({
      input,
      output: this.#screen,
      terminal: true,
      history,
      historySize: 500,
      removeHistoryDuplicates: true,
    });
    this.#readline.on("line", (line) => {
      if (this.#waiting) this.#answer(line);
      else this.#typed.push(line);
    });
    this.#readline.on("close", () => {
      this.#closed = true;
      // The shell's prompt must begin a new line.
      if (this.#waiting) this.#screen.write("\n");
      this.#answer(undefined);
    });
    this.#readline.on("SIGINT", () => this.#interrupt(onInterrupt));
  }

  /** Whether a prompt waits for a line; otherwise an answer runs. */
  get waiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** The next line; undefined at Ctrl-D or after `close()`. */
  read(prompt: string): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    this.#screen.muted = false;
    const typed = this.#typed.shift();
    if (typed !== undefined) {
      this.#screen.write(`${prompt}${typed}\n`);
      this.#screen.muted = true;
      return Promise.resolve(typed);
    }
    this.#readline.setPrompt(prompt);
    // true: keeps the keys that were typed during the answer.
    this.#readline.prompt(true);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  close(): void {
    this.#readline.close();
  }

  #interrupt(onInterrupt: () => void): void {
    if (this.#waiting && this.#readline.line !== "") {
      // As in a shell, drops a half-typed line: go to its end, delete to its start.
      this.#readline.write(null, { ctrl: true, name: "e" });
      this.#readline.write(null, { ctrl: true, name: "u" });
      return;
    }
    // Also what was typed during the answer.
    this.#typed.length = 0;
    onInterrupt();
    if (this.#waiting) this.#readline.prompt();
  }

  #answer(line: string | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#screen.muted = true;
    waiting?.(line);
  }
}

/** The terminal, for readline. Drops readline's output while an answer streams. */
class Screen extends Writable {
  muted = true;
  readonly #output: Sink;

  constructor(output: Sink) {
    super({ decodeStrings: false });
    this.#output = output;
    output.on("resize", () => this.emit("resize"));
  }

  get columns(): number {
    return this.#output.columns ?? 80;
  }

  override _write(text: string, _: BufferEncoding, done: (error?: Error | null) => void): void {
    if (!this.muted) this.#output.write(text);
    done();
  }
}
