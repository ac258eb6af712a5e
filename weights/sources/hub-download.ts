// Downloads one file of the Hub to disk. Resumes partial downloads, and verifies length and digest.
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { mismatch } from "../errors.ts";
import { fetchRange } from "./fetch-range.ts";
import type { HttpOptions } from "./http.ts";
import { besideName } from "./hub-cache.ts";

/** A file as the Hub lists it. */
export interface HubFile {
  readonly name: string;
  readonly size: number;
  /** In hex; also the name of the blob in the cache. */
  readonly digest: string;
  /**
   * The digest: SHA-256 of the bytes for large files, git's SHA-1 of a header and the bytes for small ones.
   */
  readonly kind: "sha256" | "git";
}

export interface DownloadOptions extends HttpOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes of this file that are on disk. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Downloads `file` to `path`. @throws CheckpointError if the bytes do not match the Hub's digest */
export async function downloadVerified(
  file: HubFile,
  what: string,
  url: URL,
  path: string,
  options: DownloadOptions,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const lock = `${path}.sirocco.lock`;
  const locked = await takeLock(lock);
  // If another process downloads the file, use a file of our own. Both end with the same bytes.
  const incomplete = locked ? `${path}.sirocco.incomplete` : besideName(path);
  try {
    // If a resumed download does not match, its old bytes may be wrong: try once more from the start.
    for (let resumed = true, tries = 0; resumed && tries < 2; tries++) {
      const result = await fetchInto(file, what, url, incomplete, options);
      if (result.digest === file.digest) {
        await rename(incomplete, path);
        return;
      }
      await rm(incomplete, { force: true });
      resumed = result.resumed;
      if (!resumed || tries === 1) {
        const name = file.kind === "sha256" ? "SHA-256" : "git SHA-1";
        const advice = "The bytes were deleted: try again, or check the connection and HF_ENDPOINT.";
        throw mismatch(what, `${name} ${file.digest}`, result.digest, advice);
      }
    }
  } finally {
    if (locked) await rm(lock, { force: true });
    else await rm(incomplete, { force: true });
  }
}

async function fetchInto(
  file: HubFile,
  what: string,
  url: URL,
  incomplete: string,
  options: DownloadOptions,
): Promise<{ digest: string; resumed: boolean }> {
  const hash = createHash(file.kind === "sha256" ? "sha256" : "sha1");
  if (file.kind === "git") hash.update(`blob ${file.size}\0`);
  const handle = await open(incomplete, "a+");
  try {
    const have = (await handle.stat()).size;
    const resumed = have > 0 && have <= file.size;
    if (have > file.size) await handle.truncate(0);
    let at = resumed ? have : 0;
    if (resumed) await hashStart(handle, have, hash, options.signal);
    options.onBytes?.(at);
    const range = {
      what,
      url,
      start: at,
      end: file.size,
      size: file.size,
      maxWhole: Number.POSITIVE_INFINITY,
    };
    const store = async (chunk: Uint8Array): Promise<void> => {
      hash.update(chunk);
      await writeAll(handle, chunk);
      at += chunk.length;
      options.onBytes?.(at);
    };
    await fetchRange(range, store, options, options.signal);
    await handle.sync(); // The bytes must be on disk before the file gets its final name.
    return { digest: hash.digest("hex"), resumed };
  } finally {
    await handle.close();
  }
}

async function hashStart(
  handle: FileHandle,
  length: number,
  hash: Hash,
  signal?: AbortSignal,
): Promise<void> {
  const buffer = new Uint8Array(2 ** 20);
  for (let at = 0; at < length; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, length - at), at);
    if (bytesRead === 0) throw new Error("the partial download shrank while it was read. Try again.");
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    done += (await handle.write(chunk, done, chunk.length - done)).bytesWritten;
  }
}

/** Whether this process got the lock. Takes over the lock of a process that no longer runs. */
async function takeLock(lock: string): Promise<boolean> {
  for (let tries = 0; tries < 2; tries++) {
    try {
      const handle = await open(lock, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const holder = Number(await readFile(lock, "utf8").catch(() => ""));
      if (!Number.isInteger(holder) || holder <= 0 || isAlive(holder)) return false;
      await rm(lock, { force: true });
    }
  }
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
