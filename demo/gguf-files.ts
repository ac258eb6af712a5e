// The GGUF files of a repository, for a visitor to choose from.
import type { Source } from "./engine.ts";

export interface GgufFile {
  readonly name: string;
  /** Of all parts. */
  readonly bytes: number;
}

const PART = /-(\d{5})(?=-of-\d{5}\.gguf$)/i;
/** Projectors of images, and matrices that other programs quantise with. */
const OTHERS = /^mmproj|imatrix/i;

/** The smallest first. A split file has the name of its first part. */
export async function ggufFiles(source: Source, signal: AbortSignal): Promise<GgufFile[]> {
  const names = ((await source.list?.(signal)) ?? []).filter(
    (name) => /\.gguf$/i.test(name) && !OTHERS.test(name),
  );
  const sizes = await Promise.all(names.map((name) => source.size(name, signal)));
  const bytesOf = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    const first = firstPart(name);
    bytesOf.set(first, (bytesOf.get(first) ?? 0) + (sizes[i] ?? 0));
  }
  return [...bytesOf].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => a.bytes - b.bytes);
}

export const firstPart = (name: string): string => name.replace(PART, "-00001");
