// A checkpoint as files that the user picked or dropped in a browser.
import { CONFIG_FILE } from "../adapters/names.ts";
import { mismatch, show } from "../errors.ts";
import type { Source } from "../source.ts";

/** A file that was picked. `File` is one; a folder picker adds the path in the folder. */
export type NamedBlob = Blob & {
  /** Name of the file. */
  readonly name: string;
  /** Path in the picked folder. */
  readonly webkitRelativePath?: string;
};

/**
 * The files of a checkpoint that was picked or dropped in a browser, by their names. Of a whole folder, the
 * files beside the outermost config.json: copies in folders below it are other checkpoints.
 *
 * @param name what messages call it
 * @throws CheckpointError if two files have the same name
 *
 * @example
 * ```ts
 * import { readdir, readFile } from "node:fs/promises";
 * import { fileSource, planModel } from "sirocco";
 *
 * // In a page: the `files` of an <input type="file" webkitdirectory>.
 * const folder = "weights/tiny-mistral";
 * const files = await Promise.all(
 *   (await readdir(folder)).map(async (name) => new File([await readFile(`${folder}/${name}`)], name)),
 * );
 * console.log((await planModel(fileSource(files))).parameters); // 5278976
 * ```
 */
export function fileSource(files: Iterable<NamedBlob>, name = "the chosen files"): Source {
  const byName = new Map<string, NamedBlob>();
  for (const file of besideConfig([...files])) {
    if (byName.has(file.name)) {
      throw mismatch(file.name, "one file of this name", "two", "Choose the files of one checkpoint.");
    }
    byName.set(file.name, file);
  }
  return {
    name,
    list: async () => [...byName.keys()],
    async size(file) {
      return byName.get(file)?.size;
    },
    async read(file, start = 0, end, signal) {
      signal?.throwIfAborted();
      const blob = byName.get(file);
      if (!blob) throw mismatch(file, "a file", `no such file in ${name}`, "Choose it as well.", "not-found");
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

function besideConfig(files: readonly NamedBlob[]): NamedBlob[] {
  const path = ({ name, webkitRelativePath }: NamedBlob): string => webkitRelativePath || name;
  const folder = (file: NamedBlob): string => path(file).slice(0, -file.name.length);
  const depth = (file: NamedBlob): number => path(file).split("/").length;
  const isConfig = ({ name }: NamedBlob): boolean => name === "config.json" || name === CONFIG_FILE;
  const configs = files.filter(isConfig).sort((a, b) => depth(a) - depth(b));
  const [outermost] = configs;
  if (!outermost) return [...files];
  const next = configs.find((file) => folder(file) !== folder(outermost));
  if (next && depth(next) === depth(outermost)) {
    const got = `${show(path(outermost))} and ${show(path(next))}`;
    throw mismatch(outermost.name, "one checkpoint", got, "Choose the folder of one of them.");
  }
  return files.filter((file) => folder(file) === folder(outermost));
}
