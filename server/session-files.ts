// Conversations' keys and values in a folder, from the end of one server to the start of the next.
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Model, SessionError } from "../engine/node.ts";
import { fileTrouble, makeFolder } from "./session-folder.ts";

/** The lower the number, the later it was used. */
const NAME = /^session-(\d+)\.sirocco$/;
const nameOf = (conversation: number): string => `session-${conversation}.sirocco`;

/** What Node reads and writes in one piece. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * Puts back what `saveSessions` left, the latest last, so that it is forgotten last.
 * @param note told of a file that is of no use: damaged, of another model, or no file at all; it stays until the next save
 * @returns how many conversations there are
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
    // What is no file takes no other's place.
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
 * Writes every conversation that is kept, in place of what the folder had. Each file is whole or not there, also where two servers
 * share the folder: the one that ends last wins.
 * @returns how many
 * @throws Error that says which file could not be written, why, and how many were
 */
export async function saveSessions(model: Model, folder: string): Promise<number> {
  await makeFolder(folder);
  const written = new Set<string>();
  let number = 0;
  for (let saved = 0; ; saved++, number++) {
    const session = await model.saveSession({ conversation: saved });
    if (!session) break;
    // A folder by such a name is not ours.
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

/** @throws Error with what is there instead of a file that can be read whole */
async function withSession<T>(file: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  try {
    // A FIFO that nobody writes to would be waited for without end.
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
