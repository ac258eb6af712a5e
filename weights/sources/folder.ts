// A checkpoint in a local folder, or a GGUF file (Node only).
import { constants, statSync } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type CheckpointError, label, mismatch, show } from "../errors.ts";
import { fileForFolder, isGguf } from "../named-file.ts";
import type { Source } from "../source.ts";

/**
 * The files of a checkpoint in a folder of this machine, read by position. Node only.
 *
 * @param path of the folder, or of a GGUF file
 * @param name what messages call it. Default: the path.
 */
export function folderSource(path: string, name: string = path): Source {
  const isFile = isGgufFile(path);
  const folder = isFile ? dirname(path) : path;
  return {
    name,
    file: isFile ? basename(path) : undefined,
    async list() {
      await requireFolder(folder);
      return readdir(folder);
    },
    async size(file) {
      const handle = await openFile(folder, file);
      try {
        return handle && (await regularSize(handle, file));
      } finally {
        await handle?.close();
      }
    },
    async read(file, start = 0, end, signal) {
      signal?.throwIfAborted();
      const handle = await openFile(folder, file);
      if (!handle)
        throw mismatch(label(file), "a file", `no such file in ${name}`, "Fetch it again.", "not-found");
      try {
        const size = await regularSize(handle, file);
        return await readRange(handle, file, start, end ?? size, size, signal);
      } finally {
        await handle.close();
      }
    },
  };
}

const isGgufFile = (path: string): boolean => isGguf(path) && statOf(path)?.isFile() === true;

/** What is at a path; undefined if nothing is, as beyond a file ("model.gguf/"), or if it cannot be seen. */
export function statOf(path: string): { isFile(): boolean } | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** @throws CheckpointError if `path` is no folder and no GGUF file, saying what was found */
export async function requireFolder(path: string, advice = "Check the path."): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (!(found instanceof Error)) {
    if (found.isDirectory() || isGgufFile(path)) return;
    throw fileForFolder(path, dirname(path));
  }
  if (found.code !== "ENOENT" && found.code !== "ENOTDIR") {
    throw mismatch(show(path), "a readable folder", found.code ?? String(found), "Check the path.");
  }
  if (isGguf(path)) throw mismatch(show(path), "a GGUF file", "no such file", "Check the path.", "not-found");
  throw mismatch(show(path), "a folder", "no such folder", advice, "not-found");
}

// Follows links: the Hub's cache consists of them. Refuses names that leave the folder.
async function openFile(folder: string, file: string): Promise<FileHandle | undefined> {
  if (!/^[^/\\\0:]+$/.test(file) || file === "." || file === "..") {
    throw mismatch(label(file), "a plain file name", "a path", "Files of a checkpoint lie in one folder.");
  }
  try {
    // Without O_NONBLOCK a named pipe would hang the open.
    return await open(join(folder, file), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    const wrapped = mismatch(label(file), "a readable file", code ?? String(error), `Check it in ${folder}.`);
    wrapped.cause = error;
    throw wrapped;
  }
}

async function regularSize(handle: FileHandle, file: string): Promise<number> {
  const stat = await handle.stat();
  if (stat.isFile()) return stat.size;
  const kind = stat.isDirectory() ? "a directory" : "a device or pipe";
  throw mismatch(label(file), "a file", kind, "Put the checkpoint's file in its place.");
}

// A call to `read` is limited to 2 GiB, and may read less than requested.
const MAX_READ_BYTES = 2 ** 30;

async function readRange(
  handle: FileHandle,
  file: string,
  start: number,
  end: number,
  size: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (start < 0 || end < start) throw new RangeError(`${label(file)}: bytes ${start} to ${end}`);
  if (end > size) throw shorter(file, end, size);
  const bytes = new Uint8Array(end - start);
  for (let done = 0; done < bytes.length; ) {
    signal?.throwIfAborted();
    const length = Math.min(MAX_READ_BYTES, bytes.length - done);
    const { bytesRead } = await handle.read(bytes, done, length, start + done);
    if (bytesRead === 0) throw shorter(file, end, start + done);
    done += bytesRead;
  }
  return bytes;
}

function shorter(file: string, end: number, size: number): CheckpointError {
  return mismatch(label(file), `at least ${end} bytes`, `${size}`, "The file is incomplete: fetch it again.");
}
