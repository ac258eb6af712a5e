// The folders of --slot-dir and --adapter-dir: created and tested before the model is loaded; and errors of
// files in words.
import { access, constants, mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** @param option that names the folder @throws Error if it cannot be created, read and written */
export async function checkFolder(option: string, folder: string): Promise<void> {
  await makeFolder(option, folder);
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK).catch((cause: unknown) => {
    throw refused(option, folder, cause);
  });
}

/** Creates the folder and its parents. @throws Error that names the folder and the reason */
export async function makeFolder(option: string, folder: string): Promise<void> {
  try {
    await make(resolve(folder));
  } catch (cause) {
    throw refused(option, folder, cause);
  }
}

/**
 * From the top down. Node's `recursive` never returns on a file system that answers ENOENT to a new folder,
 * as /proc does.
 */
async function make(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && dirname(folder) !== folder) return undefined;
    throw error;
  });
  if (found?.isDirectory()) return;
  if (found) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
  await make(dirname(folder));
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Another server may have created it meanwhile.
    if (error.code !== "EEXIST") throw error;
  });
}

const refused = (option: string, folder: string, cause: unknown): Error =>
  new Error(
    `${option}: expected a folder that can be written, got "${clip(folder)}": ${fileTrouble(cause)}`,
    {
      cause,
    },
  );

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full. Free some space.",
  EDQUOT: "The disk's quota is used up. Free some space.",
  EACCES: "Permission is denied.",
  EPERM: "Permission is denied.",
  EROFS: "The file system is read-only.",
  ENOENT: "There is no such file or folder.",
  ENOTDIR: "A part of the path is a file.",
  EISDIR: "A folder has that name. Move it away.",
  ENOTEMPTY: "A folder has that name. Move it away.",
  ENAMETOOLONG: "The name is too long.",
  ELOOP: "Its links lead in a circle.",
  EIO: "The disk cannot be read or written.",
};

/** "The disk is full. Free some space. (ENOSPC)" */
export function fileTrouble(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words = code === undefined ? undefined : WORDS[code];
  return words ? `${words} (${code})` : `${message}.`;
}

const clip = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);
