// What was typed in earlier chats, for the up arrow.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Io } from "./io.ts";

const MAX_LINES = 500;

/** A newline within an entry: each entry is a line of the file. */
const LINE_SEPARATOR = "\u2028";

export class History {
  readonly #file: string;

  constructor(env: Io["env"]) {
    // https://specifications.freedesktop.org/basedir-spec/latest/
    const state = env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state");
    this.#file = join(state, "sirocco", "chat-history");
  }

  /** The latest entry first, as readline expects. */
  load(): string[] {
    try {
      const lines = readFileSync(this.#file, "utf8").split("\n").filter(Boolean);
      if (lines.length > 2 * MAX_LINES)
        writeFileSync(this.#file, `${lines.slice(-MAX_LINES).join("\n")}\n`, { mode: 0o600 });
      return lines
        .slice(-MAX_LINES)
        .map((line) => line.replaceAll(LINE_SEPARATOR, "\n"))
        .reverse();
    } catch {
      return [];
    }
  }

  /** Appends an entry at once: two chats at a time both keep theirs, and quitting needs no clean-up. */
  add(entry: string): void {
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      appendFileSync(this.#file, `${entry.replaceAll("\n", LINE_SEPARATOR)}\n`, { mode: 0o600 });
    } catch {
      // A chat goes on without a history, as in a read-only home.
    }
  }
}
