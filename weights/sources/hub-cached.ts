// What is in the Hub's cache on disk, and its removal (Node only).
import type { Dirent } from "node:fs";
import { lstat, readdir, rm, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type Environment, hubCacheFolder, RepositoryCache } from "./hub-cache.ts";

export interface CachedRepository {
  /** owner/name */
  readonly name: string;
  readonly folder: string;
  /** On disk. A file that several snapshots link to counts once. */
  readonly bytes: number;
  /** Of `bytes`, those of downloads that were not finished. */
  readonly partialBytes: number;
  /** Complete files of the snapshots by their names in the repository; of a name twice, the larger one. */
  readonly files: readonly { readonly file: string; readonly bytes: number }[];
}

const PREFIX = "models--";
/** Downloads that were interrupted, of Python or of this package. */
const PARTIAL = /\.incomplete$|\.sirocco\.[^/\\]+$/;

/**
 * The repositories of models in the cache, by name. Links to folders are not followed.
 *
 * @param only this one. Compared with what is there: no path is made of it
 */
export async function cachedRepositories(env: Environment, only?: string): Promise<CachedRepository[]> {
  const folder = hubCacheFolder(env);
  const names = (await entriesOf(folder))
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(PREFIX))
    .map(({ name }) => name.slice(PREFIX.length).replaceAll("--", "/"))
    .filter((name) => only === undefined || name === only)
    .sort((a, b) => a.localeCompare(b));
  return Promise.all(names.map((name) => measured(name, new RepositoryCache(folder, name).folder)));
}

/**
 * Deletes a repository's folder in the cache. Of links in it, only the links are deleted.
 * @throws Error if the folder cannot be deleted
 */
export const removeRepository = ({ folder }: CachedRepository): Promise<void> =>
  rm(folder, { recursive: true, force: true });

async function measured(name: string, folder: string): Promise<CachedRepository> {
  let bytes = 0;
  let partialBytes = 0;
  const seen = new Set<string>();
  const files = new Map<string, number>();
  for await (const { path, entry } of within(folder)) {
    const [top, , ...inner] = relative(folder, path).split(sep);
    if (top === "snapshots" && inner.length > 0) {
      // A link of a snapshot leads to a blob, or nowhere after an interrupted clean-up.
      const size = await stat(path).then(
        (found) => (found.isFile() ? found.size : undefined),
        () => undefined,
      );
      const file = inner.join("/");
      if (size !== undefined) files.set(file, Math.max(size, files.get(file) ?? 0));
    }
    if (!entry.isFile()) continue;
    const { size, dev, ino } = await lstat(path);
    // Without symbolic links, as on Windows, a snapshot may hold hard links.
    if (ino !== 0 && seen.has(`${dev}:${ino}`)) continue;
    seen.add(`${dev}:${ino}`);
    bytes += size;
    if (PARTIAL.test(path) && !path.endsWith(".lock")) partialBytes += size;
  }
  const sorted = [...files].sort(([a], [b]) => a.localeCompare(b));
  return { name, folder, bytes, partialBytes, files: sorted.map(([file, size]) => ({ file, bytes: size })) };
}

async function* within(folder: string): AsyncGenerator<{ path: string; entry: Dirent }> {
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* within(path);
    else yield { path, entry };
  }
}

/** None, if the folder cannot be read. */
const entriesOf = (folder: string): Promise<Dirent[]> =>
  readdir(folder, { withFileTypes: true }).catch(() => []);
