// Resolves a source's name in Node: a folder, an address, or a repository of the Hub.
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import {
  CheckpointError,
  folderSource,
  folderUrl,
  HUB,
  httpSource,
  hubSource,
  isRepository,
  NetworkError,
  repositoryOfPage,
  requireFolder,
  type Source,
  statOf,
} from "../weights/node.ts";
import type { LoadOptions } from "./api.ts";

/**
 * @throws CheckpointError at once, if the folder does not exist or the name is no path, address or repository
 */
export async function namedSource(
  spec: string,
  options: Pick<LoadOptions, "onProgress" | "signal" | "token">,
): Promise<Source> {
  const page = repositoryOfPage(spec, process.env["HF_ENDPOINT"] || HUB);
  // A folder that exists is meant before a repository, unless the name has a scheme.
  if (page !== undefined && (/^[a-z]+:/i.test(spec) || !isThere(spec))) return repository(page, options);
  if (/^https?:\/\//i.test(spec)) return httpSource(folderUrl(spec));
  const path = /^file:/i.test(spec) ? pathOf(spec) : spec.replace(/^~(?=[/\\]|$)/, homedir());
  if (isThere(path) || !isRepository(path)) {
    await requireFolder(path, 'Check the path; a repository of the Hub is written "owner/name".');
    return folderSource(path);
  }
  try {
    return await repository(path, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw neither(spec, error as Error);
  }
}

function repository(
  name: string,
  { onProgress, signal, token }: Pick<LoadOptions, "onProgress" | "signal" | "token">,
): Promise<Source> {
  return hubSource(name, {
    ...(signal && { signal }),
    token,
    onProgress: ({ file, loaded, total }) => onProgress?.({ stage: "download", name: file, loaded, total }),
  });
}

const isThere = (path: string): boolean => statOf(path) !== undefined;

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new CheckpointError(`${url}: expected the address of a folder here, got another. Name its path.`, {
      cause,
    });
  }
}

/** "owner/name" may be a folder or a repository: the message names both. */
function neither(spec: string, cause: Error): Error {
  if (cause instanceof NetworkError) {
    const message = `${spec}: expected a folder here or a repository of the Hub, got no such folder, and no answer of the Hub: ${cause.message}`;
    return new NetworkError(message, { cause, status: cause.status });
  }
  // Others are the system's: a cache that cannot be read or written.
  if (!(cause instanceof CheckpointError)) return cause;
  if (cause.code !== "not-found" && cause.code !== "forbidden") return cause;
  const message = `${cause.message} There is no folder "${spec}" here either.`;
  return new CheckpointError(message, { cause, code: cause.code, status: cause.status });
}
