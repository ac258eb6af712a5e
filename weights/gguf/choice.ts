// Chooses among the GGUF files of a source by their names.
import { mismatch } from "../errors.ts";
import { isGguf } from "../named-file.ts";
import type { Source } from "../source.ts";
import { PART_OF } from "./names.ts";

/** Names of what is preferred, in this order; then the smallest file that is not below 4 bits. */
const PREFERRED: readonly RegExp[] = [/(?<![a-z0-9])q4_k_m(?!\w)/i, /(?<![a-z0-9])q4_0(?!\w)/i];
const BELOW_4_BITS = /(^|[-._])(i?q[123]|tq[12])_/i;
/** Projectors of images, and matrices that other programs quantise with. */
const OTHERS = /^mmproj|imatrix/i;

/** The file to load. @throws CheckpointError if none can be */
export async function choose(source: Source, signal?: AbortSignal): Promise<string> {
  const names = (await source.list?.(signal)) ?? [];
  const files = [...partsOfFiles(names).keys()];
  const named = (pattern: RegExp) => files.find((file) => pattern.test(file));
  const known = files.length === 1 ? files[0] : PREFERRED.map(named).find(Boolean);
  if (known !== undefined) return known;
  // Opened, such a file says what it is.
  const other = names.find((name) => isGguf(name));
  if (files.length === 0 && other !== undefined) return other;
  // Only now, as each size may be a request.
  const bySize = await ggufFiles(source, signal);
  const chosen = bySize.find(({ file }) => !BELOW_4_BITS.test(file));
  if (chosen) return chosen.file;
  const list = bySize.map(({ file, bytes }) => `${file} (${(bytes / 1e9).toFixed(2)} GB)`).join(", ");
  const got = list || "none";
  throw mismatch(source.name, "a GGUF file of 4 bits or more", got, "Name the file itself.");
}

/** A file that can be loaded, or the first part of one. */
export interface GgufFile {
  readonly file: string;
  /** Of all parts. */
  readonly bytes: number;
}

/** The files of a source that can be loaded, the smallest first. */
export async function ggufFiles(source: Source, signal?: AbortSignal): Promise<GgufFile[]> {
  const parts = partsOfFiles((await source.list?.(signal)) ?? []);
  const sized = [...parts].map(async ([file, parts]) => {
    const sizes = await Promise.all(parts.map((part) => source.size(part, signal)));
    return { file, bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0) };
  });
  return (await Promise.all(sized)).sort((a, b) => a.bytes - b.bytes);
}

/** The files that can be loaded, by name: the parts of each, under the name of the first. */
function partsOfFiles(names: readonly string[]): Map<string, string[]> {
  const files = new Map<string, string[]>();
  for (const name of [...names].sort()) {
    if (!isGguf(name) || OTHERS.test(name)) continue;
    const [, stem, part] = PART_OF.exec(name) ?? [];
    const first = stem !== undefined && part !== "00001" ? name.replace(`-${part}-of-`, "-00001-of-") : name;
    files.set(first, [...(files.get(first) ?? []), name]);
  }
  return files;
}
