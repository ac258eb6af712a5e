// How many threads compute in Node.
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

const CPUS = "/sys/devices/system/cpu";
/** Of a container's control group, version 2: the time that it gets, and of how much time. */
const LIMIT = "/sys/fs/cgroup/cpu.max";

/** As many as there are physical cores for this process, less one; at least one, and at most `most`. */
export const defaultThreads = (most: number): number =>
  threadsFor(Math.min(availableParallelism(), limitOf(readIfThere(LIMIT))), siblings(), most);

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

/**
 * The processors that the limit of a container is worth. Node 20 does not count it among those that the
 * process may use, unlike later versions.
 * @param text of `cpu.max`, as "150000 100000", or "max 100000" without a limit
 */
export function limitOf(text: string): number {
  const [time = 0, period = 0] = text.split(" ").map(Number);
  // Later versions round down, too.
  return time / period > 0 ? Math.max(1, Math.floor(time / period)) : Number.POSITIVE_INFINITY;
}

/** Empty: no such file. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
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
