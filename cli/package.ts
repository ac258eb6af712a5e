// Which version of the package this is, from the sources and from dist/ alike.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const packageVersion = findVersion(dirname(fileURLToPath(import.meta.url)));

function findVersion(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (name === "sirocco") return version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    if (folder === dirname(folder))
      throw new Error("package.json of sirocco not found. Install the package again.");
  }
}
