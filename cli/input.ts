// The text a command works on: its argument, a file, or what is piped in.
import { readFile } from "node:fs/promises";
import type { Context } from "./context.ts";
import { UsageError } from "./errors.ts";

interface Given {
  /** The command, for messages. */
  readonly command: string;
  /** What the text is to it: "prompt", "text". */
  readonly what: string;
  readonly argument: string | undefined;
  readonly file: string | undefined;
}

/** @throws UsageError where there is no text, or more than one. */
export async function readText(
  { io, interrupts }: Context,
  { command, what, argument, file }: Given,
): Promise<string> {
  if (argument !== undefined && file !== undefined) {
    throw new UsageError(`${command}: expected a ${what} or --file, got both`);
  }
  if (argument !== undefined) return argument;
  if (file !== undefined) return withoutFinalNewline(await readTextFile(file));
  const missing = new UsageError(
    `${command}: no ${what}. Give it as an argument, with --file, or through a pipe: ` +
      `sirocco ${command} "Once upon a time"`,
  );
  if (io.stdin.isTTY) throw missing;
  const pieces: Buffer[] = [];
  const stop = () => io.stdin.destroy(interrupts.signal.reason);
  interrupts.signal.addEventListener("abort", stop, { once: true });
  for await (const piece of io.stdin) pieces.push(Buffer.from(piece));
  interrupts.signal.removeEventListener("abort", stop);
  const text = withoutFinalNewline(Buffer.concat(pieces).toString("utf8"));
  if (text === "") throw missing;
  return text;
}

async function readTextFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new Error(`--file ${file}: cannot be read`, { cause });
  }
}

/** `echo` and editors end a text with a newline that nobody meant as part of it. */
const withoutFinalNewline = (text: string): string => text.replace(/\r?\n$/, "");
