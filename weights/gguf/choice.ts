// Chooses among the GGUF files of a source by their names.
import { mismatch } from "../errors.ts";
import type { Source } from "../source.ts";
import { PART_OF } from "./names.ts";

/** Names of what is preferred, in this order; then the smallest file that is not below 4 bits. */
const PREFERRED: readonly RegExp[] = [/\bq4_k_m\b/i, /\bq4_0\b/i];
const BELOW_4_BITS = /(^|[-._])(i?q[123]|tq[12])_/i;
/** Projectors of images, and matrices that other programs quantise with. */
const OTHERS = /^mmproj|imatrix/i;

/** A file that can be loaded, or the first part of one. */
interface Candidate {
  readonly file: string;
  /** Of all parts. */
  readonly bytes: number;
}

/** The file to load. @throws CheckpointError if none can be */
export async function choose(source: Source, signal?: AbortSignal): Promise<string> {
  const candidates = await candidatesOf(source, signal);
  const named = (pattern: RegExp) => candidates.find(({ file }) => pattern.test(file.replaceAll("-", " ")));
  const enough = candidates.filter(({ file }) => !BELOW_4_BITS.test(file)).sort((a, b) => a.bytes - b.bytes);
  const [first] = candidates;
  const chosen = candidates.length === 1 ? first : (PREFERRED.map(named).find(Boolean) ?? enough[0]);
  if (chosen) return chosen.file;
  const list = candidates.map(({ file, bytes }) => `${file} (${gigabytes(bytes)})`).join(", ");
  const got = list || "none";
  throw mismatch(source.name, "a GGUF file of 4 bits or more", got, "Name the file itself.");
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

async function candidatesOf(source: Source, signal: AbortSignal | undefined): Promise<Candidate[]> {
  const bytesOf = new Map<string, number>();
  const names = (await source.list?.(signal)) ?? [];
  for (const name of [...names].sort()) {
    if (!/\.gguf$/i.test(name) || OTHERS.test(name)) continue;
    const [, stem, part] = PART_OF.exec(name) ?? [];
    const first = stem !== undefined && part !== "00001" ? name.replace(`-${part}-of-`, "-00001-of-") : name;
    bytesOf.set(first, (bytesOf.get(first) ?? 0) + ((await source.size(name, signal)) ?? 0));
  }
  return [...bytesOf].map(([file, bytes]) => ({ file, bytes }));
}
