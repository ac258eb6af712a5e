// A Hugging Face repository, verified by the Hub's digests, in the cache that Python also uses (Node only).
import { join } from "node:path";
import { adapterFiles } from "../adapters/names.ts";
import { CheckpointError, mismatch } from "../errors.ts";
import { openCheckpoint } from "../open-checkpoint.ts";
import type { Source } from "../source.ts";
import { otherVocabularies } from "../vocabulary/names.ts";
import { folderSource } from "./folder.ts";
import type { HttpOptions } from "./http.ts";
import { fileSize, hubCacheFolder, hubToken, isCommit, RepositoryCache } from "./hub-cache.ts";
import { HubFiles, type HubProgress, type HubSourceOptions } from "./hub-files.ts";
import { accessAdvice, HubListing } from "./hub-listing.ts";
import { HUB, parseRepository } from "./hub-repository.ts";

export type { HubProgress, HubSourceOptions };

const OFFLINE_ADVICE = "Connect once to fetch it.";

/**
 * A repository of the Hugging Face Hub, through the cache on disk that Python shares. Small files are fetched
 * at once. A weight file is fetched whole, to the cache, when bytes after its header are first read: so a
 * plan can be made, and refused, before gigabytes are downloaded. Node only.
 *
 * @param text `owner/name` or `owner/name@revision`, each also with `/file.gguf` or `/folder/file.gguf`
 * @throws CheckpointError if there is no such repository, or it is private and the token does not open it
 */
export async function hubSource(text: string, options: HubSourceOptions = {}): Promise<Source> {
  const env = options.env ?? process.env;
  const repository = parseRepository(text, env["HF_ENDPOINT"] || HUB);
  const cache = new RepositoryCache(hubCacheFolder(env), repository.name);
  const known = isCommit(repository.revision)
    ? repository.revision
    : await cache.commitOf(repository.revision);
  const { file, folder = "" } = repository;
  const name = `${repository.name}@${repository.revision}${file === undefined ? "" : `/${folder}${file}`}`;
  const cached = (commit: string): Source => ({
    ...folderSource(join(cache.snapshot(commit), folder), name),
    file,
  });
  const whole = known !== undefined && (await isWhole(cached(known)));
  // A commit never changes. But Python may have cached it without the tokenizer, which a GGUF file has in it.
  const hasAll = async (commit: string) => file !== undefined || hasTokenizer(cache.snapshot(commit));
  if (whole && known === repository.revision && (await hasAll(known))) return cached(known);

  if (/^(1|true|yes|on)$/i.test(env["HF_HUB_OFFLINE"] ?? "")) {
    if (whole) return cached(known);
    throw mismatch(
      name,
      "the whole checkpoint in the cache",
      "not all of it, and HF_HUB_OFFLINE is set",
      OFFLINE_ADVICE,
    );
  }
  const token = options.token ?? (await hubToken(env));
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const http: HttpOptions = { ...options, headers, accessAdvice: accessAdvice(repository) };
  const listing = new HubListing(repository, http);
  let commit: string;
  try {
    // Do not wait long for the Hub: the cache may do, or the name may be a mistyped folder.
    const retries = whole ? 0 : Math.min(options.retries ?? 2, 2);
    const impatient = { ...http, retries, stallMs: Math.min(options.stallMs ?? 10_000, 10_000) };
    commit = await listing.commit(options.signal, impatient);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (whole && !(error instanceof CheckpointError)) return cached(known);
    throw error;
  }
  return HubFiles.open({ name, repository, cache, listing, commit, http, options });
}

async function hasTokenizer(snapshot: string): Promise<boolean> {
  const files = ["tokenizer.json", ...otherVocabularies];
  const sizes = await Promise.all(files.map((file) => fileSize(join(snapshot, file))));
  return sizes.some((size) => size !== undefined);
}

// A snapshot links to complete blobs only. An old index may name files that never existed, so a snapshot is
// complete if the checkpoint opens. If it is refused for another reason than a missing file, downloading it
// again would not help.
async function isWhole(snapshot: Source): Promise<boolean> {
  const [config, ...ofAdapter] = await Promise.all(
    ["config.json", ...adapterFiles].map((file) => snapshot.size(file)),
  );
  if (config === undefined && ofAdapter.every((size) => size !== undefined)) return true;
  try {
    await openCheckpoint(snapshot);
    return true;
  } catch (error) {
    return error instanceof CheckpointError && error.code !== "not-found";
  }
}
