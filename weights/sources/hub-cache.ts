// The Hub's cache folder, in the layout of the Python libraries: blobs by digest, snapshots of links, refs.
import { randomUUID } from "node:crypto";
import { copyFile, link, mkdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";

/** Environment variables: those of Hugging Face's Python libraries are used. */
export type Environment = Readonly<Record<string, string | undefined>>;

function hubHome(env: Environment): string {
  return env["HF_HOME"] ?? join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "huggingface");
}

/** The folder of all cached repositories. */
export function hubCacheFolder(env: Environment): string {
  return env["HF_HUB_CACHE"] ?? env["HUGGINGFACE_HUB_CACHE"] ?? join(hubHome(env), "hub");
}

/** The token in the environment, or the one that `hf auth login` stored. */
export async function hubToken(env: Environment): Promise<string | undefined> {
  const given = env["HF_TOKEN"] ?? env["HUGGING_FACE_HUB_TOKEN"];
  const token = given ?? (await readText(env["HF_TOKEN_PATH"] ?? join(hubHome(env), "token")));
  return token?.trim() || undefined;
}

/** One repository in the cache. The caller has checked its name and the names of its files. */
export class RepositoryCache {
  readonly folder: string;

  constructor(cacheFolder: string, repository: string) {
    this.folder = join(cacheFolder, `models--${repository.replaceAll("/", "--")}`);
  }

  /** The commit of a branch or tag when it was last downloaded completely. */
  async commitOf(revision: string): Promise<string | undefined> {
    const commit = (await readText(join(this.folder, "refs", revision)))?.trim();
    return commit !== undefined && isCommit(commit) ? commit : undefined;
  }

  async setCommit(revision: string, commit: string): Promise<void> {
    const file = join(this.folder, "refs", revision);
    await mkdir(dirname(file), { recursive: true });
    const temporary = besideName(file);
    await writeFile(temporary, commit);
    await rename(temporary, file);
  }

  snapshot(commit: string): string {
    return join(this.folder, "snapshots", commit);
  }

  blob(digest: string): string {
    return join(this.folder, "blobs", digest);
  }

  /** Links `file` of a snapshot to a complete blob. */
  async point(commit: string, file: string, digest: string): Promise<void> {
    const pointer = join(this.snapshot(commit), file);
    const blob = this.blob(digest);
    await mkdir(dirname(pointer), { recursive: true });
    // Created under another name, then renamed: other processes see either the old or the new link.
    const temporary = besideName(pointer);
    try {
      await symlink(relative(dirname(pointer), blob), temporary);
    } catch {
      // On Windows few users may create symbolic links.
      await link(blob, temporary).catch(() => copyFile(blob, temporary));
    }
    await rename(temporary, pointer);
  }
}

/** A unique name in the folder of `path`, for temporary files. */
export function besideName(path: string): string {
  return `${path}.sirocco.${randomUUID()}`;
}

/** The size of a regular file in bytes, following links; undefined if there is none. */
export async function fileSize(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the text is a full commit hash. */
export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}
