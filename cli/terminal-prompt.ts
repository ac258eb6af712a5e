// Reads lines at a terminal, with editing and history. Keys typed during an answer are kept for the next
// prompt. A paste of several lines is one line of the editor, in which ↵ shows its newlines.
import { type Completer, createInterface, emitKeypressEvents, type Interface, type Key } from "node:readline";
import { PassThrough, Writable } from "node:stream";
import type { Input, Sink } from "./io.ts";

interface Options {
  readonly input: Input;
  readonly output: Sink;
  /** Whether the terminal takes escape sequences. It is then asked to mark pastes. */
  readonly movesCursor: boolean;
  /** Earlier lines, the latest first. */
  readonly history: string[];
  /** What the Tab key offers for a line. */
  readonly complete: Completer;
  /** Ctrl-C during an answer or at an empty prompt. */
  readonly onInterrupt: () => void;
}

/**
 * A newline in readline's line, which cannot hold one. Unicode reserves the character for use inside a
 * program, so that no text has it.
 */
const NEWLINE = "\ufdd0";

/** Switches the marks around a paste, ESC [200~ and ESC [201~, on or off. */
const MARK_PASTES = { on: "\u001b[?2004h", off: "\u001b[?2004l" };

export class TerminalPrompt {
  readonly #readline: Interface;
  readonly #screen: Screen;
  readonly #typed: string[] = [];
  #waiting: ((line: string | undefined) => void) | undefined;
  /** What has come of a paste that is not at its end. */
  #pasted: string | undefined;
  #closed = false;

  constructor({ input, output, movesCursor, history, complete, onInterrupt }: Options) {
    this.#screen = new Screen(output);
    // readline gets its keys from #press, not from its input. It switches raw mode on, and off at its end.
    const setRawMode = (on: boolean): void => {
      input.setRawMode?.(on);
      if (movesCursor) output.write(on ? MARK_PASTES.on : MARK_PASTES.off);
    };
    this.#readline = createInterface({
      input: Object.assign(new PassThrough(), { setRawMode }),
      output: this.#screen,
      terminal: true,
      completer: complete,
      history: history.map(toLine),
      historySize: 500,
      removeHistoryDuplicates: true,
    });
    const press = (text: string | undefined, key: Key): void => this.#press(text, key);
    const end = (): void => this.#readline.close();
    emitKeypressEvents(input, this.#readline);
    // A window that is closed is an error of its terminal.
    input.on("keypress", press).on("end", end).on("error", end).resume();
    this.#readline.on("line", (line) => {
      const text = line.replaceAll(NEWLINE, "\n");
      if (this.#waiting) this.#answer(text);
      else this.#typed.push(text);
    });
    this.#readline.on("close", () => {
      this.#closed = true;
      input.off("keypress", press).off("end", end).pause();
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
      this.#screen.write(`${prompt}${toLine(typed)}\n`);
      this.#screen.muted = true;
      return Promise.resolve(typed);
    }
    // The line is drawn below the answer, wherever its cursor was.
    Object.assign(this.#readline, { prevRows: 0 });
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

  /** Gives a key to readline, or a paste when it is whole: no newline in it ends the line. */
  #press(text: string | undefined, key: Key): void {
    if (key.name === "paste-start") {
      this.#pasted = "";
    } else if (this.#pasted === undefined) {
      this.#readline.write(text as string, key);
    } else if (key.name !== "paste-end") {
      this.#pasted += text ?? "";
    } else {
      this.#readline.write(toLine(this.#pasted.replace(/[\r\n]+$/, "").replace(CONTROL, "")));
      this.#pasted = undefined;
    }
    this.#keepRow();
  }

  /** Tells readline where its cursor is: it forgets that when a line that grows at its end wraps. */
  #keepRow(): void {
    if (this.#screen.muted) return;
    const { rows, cols } = this.#readline.getCursorPos();
    const { prevRows = 0 } = this.#readline as { readonly prevRows?: number };
    // A terminal goes to the next row only with the next character.
    if (cols === 0 && rows > prevRows) this.#screen.write(" \r");
    Object.assign(this.#readline, { prevRows: rows });
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

/** Control characters that a paste may not bring: a line has tabs and newlines only. */
const CONTROL = /(?![\t\n\r])\p{Cc}/gu;

/** A text of several lines as a line of readline. */
const toLine = (text: string): string => text.replace(/\r\n|[\n\r\u2028\u2029]/g, NEWLINE);

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
    if (!this.muted) this.#output.write(text.replaceAll(NEWLINE, "↵"));
    done();
  }
}
