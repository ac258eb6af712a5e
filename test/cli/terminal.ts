// A command in a real terminal: tmux draws its screen, and sends keys and marked pastes.
import { execFileSync, spawnSync } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";

/** Whether there is no tmux. `npm test` then skips its tests and says so; CI fails. */
export const skipped = spawnSync("tmux", ["-V"]).status !== 0 && process.env["SIROCCO_TMUX"] !== "required";

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

export class Terminal {
  readonly #socket = `sirocco-${process.pid}-${Math.random().toString(36).slice(2)}`;

  /** Runs a command in a terminal of this width and 60 rows. After it, the screen shows "exit CODE". */
  constructor(command: readonly string[], columns: number, env: Readonly<Record<string, string>> = {}) {
    const set = Object.entries(env).map(([name, value]) => `${name}=${quoted(value)}`);
    const line = [...set, ...command.map(quoted)].join(" ");
    this.#tmux("new-session", "-d", "-x", `${columns}`, "-y", "60", `${line}; echo exit $?; sleep 600`);
  }

  /** Types keys as tmux names them, "Enter" and "C-c", or a text. */
  keys(...keys: readonly string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  /** Pastes as a terminal does: marked, if the program has asked for that. */
  paste(text: string): void {
    this.#tmux("set-buffer", "--", text);
    this.#tmux("paste-buffer", "-p");
  }

  /** Waits until the screen has the text. @returns its lines, without the empty ones at its end */
  async see(text: string): Promise<string[]> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const screen = this.#tmux("capture-pane", "-p").trimEnd();
      if (screen.includes(text)) return screen.split("\n");
      if (Date.now() > deadline) throw new Error(`waited for ${JSON.stringify(text)}, saw\n${screen}`);
      await wait(50);
    }
  }

  close(): void {
    this.#tmux("kill-server");
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync("tmux", ["-L", this.#socket, "-f", "/dev/null", ...args], { encoding: "utf8" });
  }
}
