// One file of the Hub onto disk: resumed where it stopped, and a blob only after length and digest are right.
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { mismatch } from "../errors.ts";
import { fetchRange } from "./fetch-range.ts";
import type { HttpOptions } from "./http.ts";
import { besideName } from "./hub-cache.ts";

/** What the Hub says of a file. */
export interface HubFile {
  readonly name: string;
  readonly size: number;
  /** Also the blob's name in the cache. */
  readonly digest: string;
  /** Large files have the SHA-256 of their bytes; small ones git's SHA-1 of a header and their bytes. */
  readonly kind: "sha256" | "git";
}

export interface DownloadOptions extends HttpOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told the bytes of this file that are on disk. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Fetches `file` to `path`. @throws CheckpointError where what comes is not what the Hub announced. */
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
  // Another process is at it: work beside it. The first to finish wins, and both end with the same bytes.
  const incomplete = locked ? `${path}.sirocco.incomplete` : besideName(path);
  try {
    // Bytes left by an earlier run may themselves be what is wrong: then once more, from nothing.
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
        const advice = "The bytes were thrown away: try again, or check the connection and HF_ENDPOINT.";
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
    await handle.sync(); // The name must not outlive a crash that the bytes did not.
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
    if (bytesRead === 0) throw new Error("the partial download shrank while it was read; try again");
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    done += (await handle.write(chunk, done, chunk.length - done)).bytesWritten;
  }
}

/** True where this process now holds the lock; a lock whose process is gone is taken over. */
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
