// The Hub's cache folder, laid out as the Python libraries lay it out: blobs by digest, snapshots of links, refs.
import { randomUUID } from "node:crypto";
import { copyFile, link, mkdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";

/** Environment variables of the Python libraries that we honour. */
export type Environment = Readonly<Record<string, string | undefined>>;

function hubHome(env: Environment): string {
  return env["HF_HOME"] ?? join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "huggingface");
}

/** Where repositories are kept. */
export function hubCacheFolder(env: Environment): string {
  return env["HF_HUB_CACHE"] ?? env["HUGGINGFACE_HUB_CACHE"] ?? join(hubHome(env), "hub");
}

/** The token of the environment, or the one that `hf auth login` left. */
export async function hubToken(env: Environment): Promise<string | undefined> {
  const given = env["HF_TOKEN"] ?? env["HUGGING_FACE_HUB_TOKEN"];
  const token = given ?? (await readText(env["HF_TOKEN_PATH"] ?? join(hubHome(env), "token")));
  return token?.trim() || undefined;
}

/** One repository in the cache. Names that come from outside are checked by the caller. */
export class RepositoryCache {
  readonly folder: string;

  constructor(cacheFolder: string, repository: string) {
    this.folder = join(cacheFolder, `models--${repository.replaceAll("/", "--")}`);
  }

  /** The commit a branch or tag stood at when it was last seen whole. */
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

  /** Makes `file` of a snapshot stand for a blob that is whole. */
  async point(commit: string, file: string, digest: string): Promise<void> {
    const pointer = join(this.snapshot(commit), file);
    const blob = this.blob(digest);
    await mkdir(dirname(pointer), { recursive: true });
    // Made beside and renamed over, so that another process always sees the old or the new one.
    const temporary = besideName(pointer);
    try {
      await symlink(relative(dirname(pointer), blob), temporary);
    } catch {
      // Windows lets few users make symbolic links.
      await link(blob, temporary).catch(() => copyFile(blob, temporary));
    }
    await rename(temporary, pointer);
  }
}

/** A name beside `path` that nobody else uses: not another process, and not another load in this one. */
export function besideName(path: string): string {
  return `${path}.sirocco.${randomUUID()}`;
}

/** Bytes of a regular file, links followed; undefined where there is none. */
export async function fileSize(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}

/** A full commit hash. */
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
