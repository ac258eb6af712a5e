// What graphics drivers write to stderr while they are looked for. Dawn has no option that turns it off:
// native code writes to file descriptor 2. On a terminal, process.stderr has a descriptor of its own, so 2
// can lead to a file meanwhile.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A blank line, or a frame of a native stack: "#0 0x7f… (libdawn…)", "    at CheckVkSuccessImpl (…)". */
const FRAME = /^\s*$|^\s*#\d+ |^\s+at /;
const WARNING = /^Warning: /;

/** What drivers have written. */
export class DriverMessages {
  readonly #warnings = new Set<string>();
  #found = false;

  /** An adapter was found: warnings of others do not matter. */
  found(): void {
    this.#found = true;
  }

  /** Keeps warnings. @returns the other lines, without native stacks */
  take(text: string): string {
    const lines = text.split("\n").filter((line) => !FRAME.test(line));
    for (const line of lines) if (WARNING.test(line)) this.#warnings.add(line);
    return joined(lines.filter((line) => !WARNING.test(line)));
  }

  /** Why there is no adapter; empty if there is one. */
  get warnings(): string {
    return this.#found ? "" : joined([...this.#warnings]);
  }
}

const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

/**
 * From now on, what native code writes while adapters are looked for is kept in `messages`, and errors are
 * shown. Not where stderr is no terminal, and not on Windows: there it is left as it is.
 */
export async function hideDriverNoise(messages: DriverMessages): Promise<void> {
  if (process.stderr.isTTY !== true || process.platform === "win32") return;
  // Without the package, the engine says what is missing.
  const globals = await import("webgpu").then(
    (webgpu) => webgpu.globals as { readonly GPU?: { readonly prototype: GPU } },
    () => undefined,
  );
  const prototype = globals?.GPU?.prototype;
  if (!prototype) return;
  const { requestAdapter } = prototype;
  prototype.requestAdapter = async function (this: GPU, ...args) {
    // All is written before it returns its promise.
    const [promise, text] = aside(() => requestAdapter.apply(this, args));
    process.stderr.write(messages.take(text));
    const adapter = await promise;
    if (adapter) messages.found();
    return adapter;
  };
}

/** Runs `call` with descriptor 2 at a file. @returns its result, and what is in the file */
function aside<T>(call: () => T): [T, string] {
  let folder: string | undefined;
  let terminal: number;
  try {
    folder = mkdtempSync(join(tmpdir(), "sirocco-"));
    terminal = openSync("/dev/fd/2", "a");
  } catch {
    if (folder) rmSync(folder, { recursive: true });
    return [call(), ""];
  }
  const file = join(folder, "stderr");
  reopen(file);
  let result: T;
  try {
    result = call();
  } finally {
    reopen(`/dev/fd/${terminal}`);
    closeSync(terminal);
  }
  const text = readFileSync(file, "utf8");
  rmSync(folder, { recursive: true });
  return [result, text];
}

/** Leads descriptor 2 to a file: a new file gets the lowest descriptor that is free. */
function reopen(path: string): void {
  closeSync(2);
  const descriptor = openSync(path, "a+", 0o600);
  if (descriptor !== 2) closeSync(descriptor); // Another thread has opened a file in between.
}
