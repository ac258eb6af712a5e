// Texts that packages of Debian bring: miscfiles and fortunes-min. What is not installed is left out; nothing
// is downloaded.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

const FILES: readonly (readonly [name: string, file: string])[] = [
  ["constitution", "usr/share/state/us-constitution.gz"],
  ["declaration", "usr/share/state/us-declaration.gz"],
  ["literature", "usr/share/games/fortunes/literature"],
  ["riddles", "usr/share/games/fortunes/riddles"],
];
/** The largest of them is 54 kB; another file there may be anything. */
const MAX_BYTES = 2 ** 22;

/** @param root where the system's files are */
export async function debianTexts(root = "/"): Promise<readonly NamedText[]> {
  const found: NamedText[] = [];
  for (const [name, file] of FILES) {
    try {
      const bytes = await readFile(join(root, file));
      const plain = file.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: MAX_BYTES }) : bytes;
      found.push({ name, text: plain.subarray(0, MAX_BYTES).toString("utf8") });
    } catch {
      // Not installed, or not what the package brings.
    }
  }
  return found;
}
