// A Hugging Face repository: listed and verified through the Hub, kept in the cache that Python shares (Node only).
import { join } from "node:path";
import { CheckpointError, label, mismatch, show } from "./errors.ts";
import type { HttpOptions } from "./http.ts";
import { fileSize, hubCacheFolder, hubToken, isCommit, RepositoryCache } from "./hub-cache.ts";
import { HubFiles, type HubProgress, type HubSourceOptions } from "./hub-files.ts";
import { accessAdvice, HubListing, type Repository } from "./hub-listing.ts";
import { parseJson } from "./json.ts";
import { INDEX_FILE, SINGLE_FILE } from "./names.ts";
import { parseIndex } from "./shards.ts";
import type { Source } from "./source.ts";
import { folderSource } from "./source-folder.ts";

export type { HubProgress, HubSourceOptions };

const ENDPOINT = "https://huggingface.co";
const OFFLINE_ADVICE = "Connect once to fetch it.";

/** `owner/name` or `owner/name@revision`. @throws CheckpointError for anything else. */
export function parseRepository(text: string, endpoint = ENDPOINT): Repository {
  const match = /^([\w][\w.-]{0,95}\/[\w][\w.-]{0,95})(?:@([\w][\w./-]{0,250}))?$/.exec(text);
  const [, name, revision = "main"] = match ?? [];
  if (name === undefined || /\.\.|\/\/|\/$/.test(text) || name.includes("--")) {
    throw mismatch(label(text), "owner/name or owner/name@revision", "something else", "Check the name.");
  }
  if (!/^https?:\/\//.test(endpoint)) {
    throw mismatch("HF_ENDPOINT", "an http(s) address", show(endpoint), "Set it right, or unset it.");
  }
  return { name, revision, endpoint: endpoint.replace(/\/+$/, "") };
}

/**
 * Opens a repository. Small files are fetched at once; a weight file is fetched whole, to the cache, when bytes beyond
 * its header are first read, so that a plan can be made and refused before gigabytes are downloaded.
 */
export async function hubSource(text: string, options: HubSourceOptions = {}): Promise<Source> {
  const env = options.env ?? process.env;
  const repository = parseRepository(text, env["HF_ENDPOINT"] || ENDPOINT);
  const cache = new RepositoryCache(hubCacheFolder(env), repository.name);
  const known = isCommit(repository.revision)
    ? repository.revision
    : await cache.commitOf(repository.revision);
  const whole = known !== undefined && (await isWhole(cache.snapshot(known)));
  const name = `${repository.name}@${repository.revision}`;
  // Commits never change. (Python may have left out the tokenizer.)
  if (whole && known === repository.revision && (await hasTokenizer(cache.snapshot(known)))) {
    return folderSource(cache.snapshot(known), name);
  }

  if (/^(1|true|yes|on)$/i.test(env["HF_HUB_OFFLINE"] ?? "")) {
    if (whole) return folderSource(cache.snapshot(known), name);
    throw mismatch(
      name,
      "the whole checkpoint in the cache",
      "not all of it, and HF_HUB_OFFLINE is set",
      OFFLINE_ADVICE,
    );
  }
  const token = await hubToken(env);
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const http: HttpOptions = { ...options, headers, accessAdvice: accessAdvice(repository) };
  const listing = new HubListing(repository, http);
  let commit: string;
  try {
    // With all of it at hand, there is no point in waiting long for a Hub that may be out of reach.
    const impatient = { ...http, retries: 0, stallMs: Math.min(options.stallMs ?? 10_000, 10_000) };
    commit = await listing.commit(options.signal, whole ? impatient : http);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (whole && !(error instanceof CheckpointError)) return folderSource(cache.snapshot(known), name);
    throw error;
  }
  return HubFiles.open({ name, repository, cache, listing, commit, http, options });
}

async function hasTokenizer(snapshot: string): Promise<boolean> {
  return (await fileSize(join(snapshot, "tokenizer.json"))) !== undefined;
}

// The links of a snapshot are made only when their blobs are whole: present is right.
async function isWhole(snapshot: string): Promise<boolean> {
  if ((await fileSize(join(snapshot, "config.json"))) === undefined) return false;
  if ((await fileSize(join(snapshot, INDEX_FILE))) === undefined) {
    return (await fileSize(join(snapshot, SINGLE_FILE))) !== undefined;
  }
  const index = parseIndex(
    parseJson(await folderSource(snapshot).read(INDEX_FILE), INDEX_FILE, OFFLINE_ADVICE),
  );
  const sizes = await Promise.all(
    [...new Set(index.values())].map((shard) => fileSize(join(snapshot, shard))),
  );
  return sizes.every((size) => size !== undefined);
}
