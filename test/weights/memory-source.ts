// Checkpoints in memory, for tests that break them.
import { readdirSync, readFileSync } from "node:fs";
import { mismatch } from "../../weights/errors.ts";
import type { Source } from "../../weights/index.ts";

export type Files = Record<string, Uint8Array | "directory">;

/** Fresh copies of the checkpoint files of a folder. */
export function filesOf(folder: string): Record<string, Uint8Array> {
  const names = readdirSync(folder).filter((name) =>
    /(^(generation_|quantize_)?config\.json|\.safetensors(\.index\.json)?)$/.test(name),
  );
  return Object.fromEntries(names.map((name) => [name, new Uint8Array(readFileSync(`${folder}/${name}`))]));
}

/** A source of `files` that behaves like a folder. */
export function memorySource(files: Files, name = "memory"): Source {
  const find = (file: string): Uint8Array | undefined => {
    const bytes = Object.hasOwn(files, file) ? files[file] : undefined;
    if (bytes === "directory") throw mismatch(file, "a file", "a directory", "Put the file in its place.");
    return bytes;
  };
  return {
    name,
    list: async () => Object.keys(files),
    async size(file) {
      return find(file)?.length;
    },
    async read(file, start = 0, end) {
      const bytes = find(file);
      if (!bytes) throw mismatch(file, "a file", "no such file", "Add it.", "not-found");
      const stop = end ?? bytes.length;
      if (stop > bytes.length)
        throw mismatch(file, `at least ${stop} bytes`, `${bytes.length}`, "Fetch it again.");
      return bytes.slice(start, stop);
    },
  };
}

/** The header of a safetensors file as JSON text, and the data after it. */
export function split(file: Uint8Array): { header: string; data: Uint8Array } {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return { header: new TextDecoder().decode(file.subarray(8, 8 + length)), data: file.subarray(8 + length) };
}

/** A safetensors file of any header, valid or not, and data. */
export function join(header: string | Uint8Array, data: Uint8Array, length?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}
