// Saves the rings of a model to files at shutdown, and loads them at the next start.
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Model, SessionError } from "../engine/node.ts";
import { fileTrouble, makeFolder } from "./session-folder.ts";

/** The lower the number, the more recently it was used. */
const NAME = /^session-(\d+)\.sirocco$/;
const nameOf = (conversation: number): string => `session-${conversation}.sirocco`;

/** Most bytes that Node reads or writes at once. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * Loads what `saveSessions` wrote, the most recent last, so that its ring is reused last.
 * @param note called for a file that cannot be used: damaged, of another model, or not a file. It stays until
 * the next save.
 * @returns the number of conversations
 */
export async function restoreSessions(
  model: Model,
  folder: string,
  note: (text: string) => void,
): Promise<number> {
  const { rings } = model.plan;
  const useless = (file: string) => (error: Error) => {
    note(`${file}: ${error.message}`);
    return undefined;
  };
  const latest: string[] = [];
  for (const name of await sessionFiles(folder)) {
    if (latest.length === rings) break;
    const file = join(folder, name);
    // Something that is not a file must not take the place of another.
    const there = await withSession(file, async () => true).catch(useless(file));
    if (there) latest.push(file);
  }
  let restored = 0;
  for (const file of latest.reverse()) {
    const read = (handle: FileHandle) => handle.readFile();
    const bytes = await withSession(file, read).catch(useless(file));
    if (!bytes) continue;
    try {
      await model.restoreSession(new Uint8Array(bytes));
      restored++;
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      note(`${file}: ${error.message}`);
    }
  }
  return restored;
}

/**
 * Writes all conversations in the cache and deletes the earlier files. Each file is complete or absent, even
 * if two servers share the folder; the last one to stop wins.
 * @returns the number of conversations
 * @throws Error with the file that could not be written, the reason, and the number that were
 */
export async function saveSessions(model: Model, folder: string): Promise<number> {
  await makeFolder("--slot-dir", folder);
  const written = new Set<string>();
  let number = 0;
  for (let saved = 0; ; saved++, number++) {
    const session = await model.saveSession({ conversation: saved });
    if (!session) break;
    // A folder of that name is not ours.
    while (await isFolder(join(folder, nameOf(number)))) number++;
    const file = join(folder, nameOf(number));
    const part = `${file}.${process.pid}.part`;
    try {
      if (session.byteLength > MAX_BYTES)
        throw new Error(`expected a conversation of at most 2 GiB, got ${session.byteLength} bytes`);
      await writeFile(part, session, { mode: 0o600 });
      await rename(part, file);
      written.add(nameOf(number));
    } catch (cause) {
      await rm(part, { force: true }).catch(() => {});
      throw new Error(`${file}: cannot be written: ${fileTrouble(cause)} Conversations kept: ${saved}.`, {
        cause,
      });
    }
  }
  for (const name of await sessionFiles(folder))
    if (!written.has(name)) await rm(join(folder, name), { force: true }).catch(() => {});
  return written.size;
}

const isFolder = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => undefined))?.isDirectory() === true;

/** @throws Error if there is something else than a file that can be read at once */
async function withSession<T>(file: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  try {
    // O_NONBLOCK: opening a FIFO without a writer would never return.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      if (!stats.isFile())
        throw new Error(`expected a file, got a ${stats.isDirectory() ? "folder" : "device"}`);
      if (stats.size > MAX_BYTES)
        throw new Error(`expected a file of at most 2 GiB, got one of ${stats.size} bytes`);
      return await use(handle);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new Error(`cannot be read: ${fileTrouble(cause)}`, { cause });
  }
}

async function sessionFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return [];
    throw new Error(
      `--slot-dir: expected a folder that can be read, got "${folder}": ${fileTrouble(cause)}`,
      {
        cause,
      },
    );
  });
  return names.filter((name) => NAME.test(name)).sort((a, b) => numberOf(a) - numberOf(b));
}

const numberOf = (name: string): number => Number(NAME.exec(name)?.[1]);
