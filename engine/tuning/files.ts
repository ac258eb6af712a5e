// Stores the tuner's choices in Node: small files in the user's cache folder.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { TuningStore } from "./tuning.ts";

const folder = (): string =>
  join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "sirocco", "tuning");

export const tuningFiles: TuningStore = {
  async read(name) {
    return readFile(join(folder(), name), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
  },
  async write(name, text) {
    await mkdir(folder(), { recursive: true });
    // Renamed when it is complete, as another process may be reading.
    const partial = join(folder(), `${name}.${process.pid}`);
    await writeFile(partial, text);
    await rename(partial, join(folder(), name));
  },
};
