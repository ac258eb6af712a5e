// Lines typed in earlier chats, for the up arrow.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Io } from "./io.ts";

const MAX_LINES = 500;

export class History {
  readonly #file: string;

  constructor(env: Io["env"]) {
    // https://specifications.freedesktop.org/basedir-spec/latest/
    const state = env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state");
    this.#file = join(state, "sirocco", "chat-history");
  }

  /** The latest line first, as readline expects. */
  load(): string[] {
    try {
      const lines = readFileSync(this.#file, "utf8").split("\n").filter(Boolean);
      if (lines.length > 2 * MAX_LINES)
        writeFileSync(this.#file, `${lines.slice(-MAX_LINES).join("\n")}\n`, { mode: 0o600 });
      return lines.slice(-MAX_LINES).reverse();
    } catch {
      return [];
    }
  }

  /** Appends a line at once: two chats at the same time both keep theirs, and quitting needs no clean-up. */
  add(line: string): void {
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      appendFileSync(this.#file, `${line}\n`, { mode: 0o600 });
    } catch {
      // A chat goes on without a history, as in a read-only home.
    }
  }
}
