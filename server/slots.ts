// Conversations' keys and values in a folder, from the end of one server to the start of the next.
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Model, SessionError } from "../engine/node.ts";

/** The lower the number, the later it was used. */
const NAME = /^session-(\d+)\.sirocco$/;
const nameOf = (conversation: number): string => `session-${conversation}.sirocco`;

/**
 * Puts back what `saveSlots` left, the latest last, so that it is forgotten last.
 * @param note told of a file that is of no use: damaged, or of another model; it stays until the next save
 * @returns how many conversations there are
 */
export async function restoreSlots(
  model: Model,
  folder: string,
  note: (text: string) => void,
): Promise<number> {
  const { rings } = model.plan;
  const latest = (await sessionFiles(folder)).slice(0, rings);
  let restored = 0;
  for (const name of latest.reverse()) {
    try {
      await model.restoreSession(new Uint8Array(await readFile(join(folder, name))));
      restored++;
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      note(`${join(folder, name)}: ${error.message}`);
    }
  }
  return restored;
}

/** Writes every conversation that is kept, in place of what the folder had. @returns how many */
export async function saveSlots(model: Model, folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  let saved = 0;
  for (; ; saved++) {
    const session = await model.saveSession({ conversation: saved });
    if (!session) break;
    // Whole or not there.
    const file = join(folder, nameOf(saved));
    await writeFile(`${file}.part`, session, { mode: 0o600 });
    await rename(`${file}.part`, file);
  }
  for (const name of (await sessionFiles(folder)).slice(saved)) await rm(join(folder, name));
  return saved;
}

async function sessionFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const number = (name: string) => Number(NAME.exec(name)?.[1]);
  return names.filter((name) => NAME.test(name)).sort((a, b) => number(a) - number(b));
}
