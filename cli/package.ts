// This package: its version and files.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export { version as packageVersion } from "../package.json";

/** A folder of dist/, beside that of this module. */
const folder = (name: string): string => fileURLToPath(new URL(`../${name}/`, import.meta.url));

/** The chat page for `serve`; undefined: `npm run build` has not built it. */
export function pageFolders(): { page: string; weights: string } | undefined {
  const page = folder("page");
  return existsSync(page) ? { page, weights: folder("weights/tiny-mistral") } : undefined;
}
