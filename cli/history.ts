// What was typed in earlier chats, for the up arrow.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Io } from "./io.ts";

const KEPT = 500;

export class History {
  readonly #file: string;

  constructor(env: Io["env"]) {
    // https://specifications.freedesktop.org/basedir-spec/latest/
    const state = env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state");
    this.#file = join(state, "sirocco", "chat-history");
  }

  /** The latest line first, as readline wants them. */
  load(): string[] {
    try {
      const lines = readFileSync(this.#file, "utf8").split("\n").filter(Boolean);
      if (lines.length > 2 * KEPT)
        writeFileSync(this.#file, `${lines.slice(-KEPT).join("\n")}\n`, { mode: 0o600 });
      return lines.slice(-KEPT).reverse();
    } catch {
      return [];
    }
  }

  /** Written line by line: two chats at once both keep theirs, and quitting needs no clean-up. */
  add(line: string): void {
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      appendFileSync(this.#file, `${line}\n`, { mode: 0o600 });
    } catch {
      // A read-only home must not stop a chat.
    }
  }
}
