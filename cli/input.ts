// The text that a command works on: its argument, a file, or stdin.
import { readFile } from "node:fs/promises";
import { decodeUtf8, NotUtf8Error } from "../weights/utf8.ts";
import type { Context } from "./context.ts";
import { UsageError } from "./errors.ts";
import type { Input } from "./io.ts";

interface Given {
  /** Name of the command, for messages. */
  readonly command: string;
  /** What the command calls its text: "prompt", "text". */
  readonly what: string;
  readonly argument: string | undefined;
  readonly file: string | undefined;
}

/** @throws UsageError if there is no text, or more than one */
export async function readText(
  { io, interrupts }: Pick<Context, "io" | "interrupts">,
  { command, what, argument, file }: Given,
): Promise<string> {
  if (argument !== undefined && file !== undefined) {
    throw new UsageError(`${command}: expected a ${what} or --file, got both`);
  }
  if (argument !== undefined) return argument;
  if (file !== undefined) return withoutFinalNewline(await readTextFile(file, "--file"));
  const missing = new UsageError(
    `${command}: no ${what}. Give it as an argument, with --file, or through a pipe: ` +
      `sirocco ${command} "Once upon a time"`,
  );
  if (io.stdin.isTTY) throw missing;
  const text = await readPipe({ io, interrupts });
  if (text === "") throw missing;
  return text;
}

/** All of stdin, without its final newline. */
export async function readPipe({ io, interrupts }: Pick<Context, "io" | "interrupts">): Promise<string> {
  const pieces: Buffer[] = [];
  const stop = () => io.stdin.destroy(interrupts.signal.reason);
  interrupts.signal.addEventListener("abort", stop, { once: true });
  for await (const piece of io.stdin) pieces.push(Buffer.from(piece));
  interrupts.signal.removeEventListener("abort", stop);
  return withoutFinalNewline(decodeText(Buffer.concat(pieces), "stdin"));
}

/**
 * @param where the option that named the file, for messages
 * @throws Error if the file cannot be read, or is not UTF-8
 */
export async function readTextFile(file: string, where: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new Error(`${where} ${file}: cannot be read`, { cause });
  }
  return decodeText(bytes, `${where} ${file}`);
}

/** The lines of a pipe, until `signal` is aborted. @throws Error at the first line that is not UTF-8 */
export async function* linesOf(input: Input, signal: AbortSignal): AsyncGenerator<string, void, void> {
  let rest = Buffer.alloc(0);
  let count = 0;
  const decode = (line: Uint8Array) => decodeText(line, `stdin: line ${++count}`).replace(/\r$/, "");
  const stop = () => input.destroy(); // Ends the wait for the next piece.
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const piece of input) {
      rest = Buffer.concat([rest, Buffer.from(piece)]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        yield decode(rest.subarray(0, end));
        rest = rest.subarray(end + 1);
      }
    }
    if (rest.length > 0) yield decode(rest);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Decodes UTF-8, and drops a byte order mark. */
function decodeText(bytes: Uint8Array, where: string): string {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (!(error instanceof NotUtf8Error)) throw error;
    throw new Error(`${where}: ${error.message}. Save it as UTF-8.`);
  }
}

/** `echo` and editors end a text with a newline, which is not part of it. */
const withoutFinalNewline = (text: string): string => text.replace(/\r?\n$/, "");
