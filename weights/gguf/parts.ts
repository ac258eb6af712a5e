// Finds the GGUF file of a source, and reads the headers of all parts of a split one.
import { label, mismatch, show } from "../errors.ts";
import type { Source } from "../source.ts";
import { choose } from "./choice.ts";
import { type GgufHeader, type GgufTensor, readHeader } from "./header.ts";
import { Metadata } from "./metadata.ts";
import { PART_OF, partName } from "./names.ts";

export interface Parts {
  /** The one that has the metadata. */
  readonly first: GgufHeader;
  readonly files: readonly string[];
  /** Of all parts, by name. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

const MAX_PARTS = 1000;
const ADVICE = "The parts come from different files: fetch all of them again.";

export async function readParts(source: Source, signal?: AbortSignal): Promise<Parts> {
  const files = partsOf(source.file ?? (await choose(source, signal)));
  const headers: GgufHeader[] = [];
  for (const file of files) headers.push(await readHeader(source, file, signal));
  const tensors = new Map<string, GgufTensor>();
  for (const [i, header] of headers.entries()) {
    checkSplit(header, i, files.length);
    for (const tensor of header.tensors) {
      const other = tensors.get(tensor.name);
      if (other) {
        const where = `${header.file}: ${label(tensor.name)}`;
        throw mismatch(where, "one copy", `another in ${other.file}`, ADVICE);
      }
      tensors.set(tensor.name, tensor);
    }
  }
  const [first] = headers as [GgufHeader];
  const total = new Metadata(first).number("split.tensors.count") ?? tensors.size;
  if (total !== tensors.size)
    throw mismatch(`${first.file}: split.tensors.count`, `${tensors.size}, as stored`, show(total), ADVICE);
  return { first, files, tensors };
}

/** All parts of the file that one of them belongs to. */
function partsOf(file: string): string[] {
  const [, stem = "", , total] = PART_OF.exec(file) ?? [];
  const count = Number(total ?? 1);
  if (total === undefined) return [file];
  if (count >= 1 && count <= MAX_PARTS)
    return Array.from({ length: count }, (_, i) => partName(stem, i + 1, count));
  throw mismatch(label(file), `a name with 1 to ${MAX_PARTS} parts`, `${count}`, "Check the name.");
}

function checkSplit(header: GgufHeader, index: number, count: number): void {
  const metadata = new Metadata(header);
  for (const [key, value, otherwise] of [
    ["split.count", count, 1],
    ["split.no", index, 0],
  ] as const) {
    if ((metadata.number(key) ?? otherwise) === value) continue;
    const advice = count === 1 ? "Keep the parts under the names that they were made with." : ADVICE;
    throw metadata.wrong(key, `${value}, as the name of the file says`, advice);
  }
}
