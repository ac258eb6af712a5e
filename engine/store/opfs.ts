// Files of the origin private file system, which a dedicated worker reads and writes in place.
// https://fs.spec.whatwg.org/#api-filesystemsyncaccesshandle
import type { RandomAccess } from "../../weights/index.ts";

const FOLDER = "sirocco-models";
/**
 * A tab whose model was taken over needs a moment to close its files: so often it is tried again, after so
 * long.
 */
const TRIES = 30;
const PAUSE_MS = 100;

/** The part of a file handle that only dedicated workers have. */
interface InPlace {
  createSyncAccessHandle(): Promise<SyncAccessHandle>;
}
interface SyncAccessHandle {
  getSize(): number;
  read(bytes: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** Sync access handles exist in dedicated workers only. */
export const canStore = (): boolean =>
  typeof FileSystemFileHandle !== "undefined" && "createSyncAccessHandle" in FileSystemFileHandle.prototype;

/** The folder of all model folders; undefined if there is no such file system. */
export async function modelsFolder(): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    const root = await globalThis.navigator?.storage?.getDirectory?.();
    return await root?.getDirectoryHandle(FOLDER, { create: true });
  } catch (error) {
    // A private window, or a page that may store nothing. Browsers throw different errors.
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

/** A whole file, read without a lock. Empty if it does not exist. */
export async function readWhole(
  folder: FileSystemDirectoryHandle,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  for (let tries = 1; ; tries++) {
    try {
      const file = await (await folder.getFileHandle(name)).getFile();
      return new Uint8Array(await file.arrayBuffer());
    } catch (error) {
      const { name: kind } = error as Error;
      if (kind === "NotFoundError") return new Uint8Array();
      // Another tab wrote to it between the two calls.
      if (kind !== "NotReadableError" || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS / 10));
    }
  }
}

export async function writeWhole(
  folder: FileSystemDirectoryHandle,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const file = await openFile(folder, name);
  try {
    file.truncate(0);
    file.write(bytes, 0);
    file.flush();
  } finally {
    file.close();
  }
}

/** Opens a file exclusively. @throws DOMException NoModificationAllowedError if it stays open elsewhere */
export async function openFile(folder: FileSystemDirectoryHandle, name: string): Promise<RandomAccess> {
  const handle = (await folder.getFileHandle(name, { create: true })) as FileSystemFileHandle & InPlace;
  for (let tries = 1; ; tries++) {
    try {
      return randomAccess(await handle.createSyncAccessHandle());
    } catch (error) {
      const busy = error instanceof DOMException && error.name === "NoModificationAllowedError";
      if (!busy || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

function randomAccess(handle: SyncAccessHandle): RandomAccess {
  return {
    size: () => handle.getSize(),
    read(at, length) {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, handle.read(bytes, { at }));
    },
    write(bytes, at) {
      // On a full disk some browsers write less, without an error.
      if (handle.write(bytes, { at }) < bytes.length) {
        throw new DOMException("the file took less than was written", "QuotaExceededError");
      }
    },
    truncate: (size) => handle.truncate(size),
    flush: () => handle.flush(),
    close: () => handle.close(),
  };
}
