// How many threads compute in Node.
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

const CPUS = "/sys/devices/system/cpu";

/** As many as there are physical cores for this process, less one; at least one, and at most `most`. */
export const defaultThreads = (most: number): number => threadsFor(availableParallelism(), siblings(), most);

/**
 * @param logical logical processors that this process may use
 * @param siblings of each logical processor of the machine, those of the same core; empty if that is unknown
 */
export function threadsFor(logical: number, siblings: readonly string[], most: number): number {
  // A core has two where that is usual, if the system does not say.
  const perCore =
    siblings.length > 0 ? siblings.length / new Set(siblings).size : process.arch === "x64" ? 2 : 1;
  return Math.min(most, Math.max(1, Math.round(logical / perCore) - 1));
}

function siblings(): string[] {
  if (process.platform !== "linux") return [];
  try {
    return readdirSync(CPUS)
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => readFileSync(join(CPUS, name, "topology", "thread_siblings_list"), "utf8"));
  } catch {
    return []; // Some sandboxes have no such files.
  }
}
