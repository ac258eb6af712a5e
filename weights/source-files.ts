// A checkpoint that the user picked or dropped in a browser: a list of files, read by slices.
import { mismatch } from "./errors.ts";
import type { Source } from "./source.ts";

/** A picked file. `File` is one; so is what a folder picker gives. */
export type NamedBlob = Blob & { readonly name: string };

/** Reads from `files` by their names; of two files with one name neither is right. */
export function fileSource(files: Iterable<NamedBlob>, name = "the chosen files"): Source {
  const byName = new Map<string, NamedBlob>();
  for (const file of files) {
    if (byName.has(file.name)) {
      throw mismatch(file.name, "one file of this name", "two", "Choose the files of one checkpoint.");
    }
    byName.set(file.name, file);
  }
  return {
    name,
    async size(file) {
      return byName.get(file)?.size;
    },
    async read(file, start = 0, end, signal) {
      signal?.throwIfAborted();
      const blob = byName.get(file);
      if (!blob) throw mismatch(file, "a file", `no such file in ${name}`, "Choose it as well.");
      const stop = end ?? blob.size;
      if (start < 0 || stop < start) throw new RangeError(`${file}: bytes ${start} to ${stop}`);
      const bytes = new Uint8Array(await blob.slice(start, stop).arrayBuffer());
      if (bytes.length !== stop - start) {
        throw mismatch(
          file,
          `at least ${stop} bytes`,
          `${blob.size}`,
          "The file is incomplete: fetch it again.",
        );
      }
      return bytes;
    },
  };
}
