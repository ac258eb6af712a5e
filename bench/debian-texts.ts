// Texts that packages of Debian bring: bible-kjv, dict-gcide, fortunes-min, jargon-text and miscfiles. What
// is not installed is left out; nothing is downloaded.
import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { createGunzip } from "node:zlib";

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

interface Source {
  readonly name: string;
  readonly file: string;
  /** Where the text begins, behind notices and tables. Default: with the file. */
  readonly start?: string;
}

const SOURCES: readonly Source[] = [
  { name: "constitution", file: "usr/share/state/us-constitution.gz" },
  { name: "declaration", file: "usr/share/state/us-declaration.gz" },
  { name: "dictionary", file: "usr/share/dictd/gcide.dict.dz", start: "A \\A\\" },
  { name: "jargon", file: "usr/share/doc/jargon-text/jargon.txt.gz", start: ":abbrev:" },
  { name: "literature", file: "usr/share/games/fortunes/literature" },
  { name: "riddles", file: "usr/share/games/fortunes/riddles" },
];
/** Read of a file: another one there may be anything. */
const MAX_BYTES = 2 ** 18;

/** @param root where the system's files are */
export async function debianTexts(root = "/"): Promise<readonly NamedText[]> {
  const found: NamedText[] = [];
  for (const { name, file, start = "" } of SOURCES) {
    const text = await beginning(join(root, file)).catch(() => "");
    const at = text.indexOf(start);
    // Not installed, or not what the package brings.
    if (text === "" || at < 0) continue;
    found.push({ name, text: text.slice(at) });
  }
  const verses = await genesis(join(root, "usr/bin/bible")).catch(() => "");
  return verses === "" ? found : [...found, { name: "verses", text: verses }];
}

/** The first `MAX_BYTES` of a file, unpacked. */
async function beginning(path: string): Promise<string> {
  const file = createReadStream(path);
  const packed = /\.(gz|dz)$/.test(path);
  // `compose` passes errors on, and closes the file with the last reader.
  const plain = packed ? file.compose(createGunzip()) : file;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of plain as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_BYTES).toString("utf8");
}

/** bible-kjv packs its text, and its program prints it, with the place before each verse. */
async function genesis(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, ["-f", "gen1-gen25"], { maxBuffer: MAX_BYTES });
  return stdout.replace(/^\w+:\d+ /gm, "");
}
