// Asks the Hub about a repository: the commit of a revision, and the sizes and digests of its files.
import { CheckpointError, label, mismatch, show } from "../errors.ts";
import { type Attempt, Fault, type HttpOptions, networkFault, withRetries } from "./http.ts";
import { isCommit } from "./hub-cache.ts";
import type { HubFile } from "./hub-download.ts";
import type { Repository } from "./hub-repository.ts";

/** The Hub's API, through @huggingface/hub. */
export class HubListing {
  readonly #repository: Repository;
  readonly #options: HttpOptions;

  constructor(repository: Repository, options: HttpOptions) {
    this.#repository = repository;
    this.#options = options;
  }

  /** The current commit of the revision. */
  async commit(signal?: AbortSignal, options: HttpOptions = this.#options): Promise<string> {
    const { name, revision, endpoint } = this.#repository;
    const { modelInfo } = await import("@huggingface/hub");
    const { sha } = await this.#ask(options, signal, (fetch) =>
      modelInfo({ name, revision, hubUrl: endpoint, additionalFields: ["sha"], fetch }),
    );
    if (typeof sha === "string" && isCommit(sha)) return sha;
    throw mismatch(this.#what(), "a commit hash from the Hub", show(sha), "Check HF_ENDPOINT.");
  }

  /** Those of `names` that are in the folder. */
  async files(names: readonly string[], commit: string, signal?: AbortSignal): Promise<HubFile[]> {
    const { name, endpoint, folder = "" } = this.#repository;
    const { pathsInfo } = await import("@huggingface/hub");
    const found = await this.#ask(this.#options, signal, (fetch) =>
      pathsInfo({
        repo: { type: "model", name },
        paths: names.map((file) => folder + file),
        revision: commit,
        hubUrl: endpoint,
        fetch,
      }),
    );
    return found
      .filter(({ path, type }) => type === "file" && names.some((file) => folder + file === path))
      .map(({ path, size, oid, lfs, xetHash }): HubFile => {
        const digest = lfs?.oid ?? (xetHash === undefined ? oid : undefined);
        const kind = lfs ? "sha256" : "git";
        // The digest becomes a file name, so it must be nothing else.
        if (!digest || !(kind === "git" ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/).test(digest)) {
          throw mismatch(
            `${this.#what()}: ${label(path)}`,
            "a digest from the Hub",
            show(digest),
            "Check HF_ENDPOINT.",
          );
        }
        const bytes = lfs?.size ?? size;
        if (!Number.isSafeInteger(bytes) || bytes < 0) {
          throw mismatch(
            `${this.#what()}: ${label(path)}`,
            "a size from the Hub",
            show(bytes),
            "Check HF_ENDPOINT.",
          );
        }
        return { name: path.slice(folder.length), size: bytes, digest, kind };
      });
  }

  /** Names of what is in the folder of the file, or at the top of the repository. */
  async names(commit: string, signal?: AbortSignal): Promise<string[]> {
    const { name, endpoint, folder = "" } = this.#repository;
    const { listFiles } = await import("@huggingface/hub");
    return this.#ask(this.#options, signal, async (fetch) => {
      const names: string[] = [];
      const repo = { type: "model", name } as const;
      const where = {
        repo,
        revision: commit,
        hubUrl: endpoint,
        ...(folder && { path: folder.slice(0, -1) }),
      };
      for await (const { path } of listFiles({ ...where, fetch })) names.push(path.slice(folder.length));
      return names;
    });
  }

  #what(): string {
    return `${this.#repository.name}@${this.#repository.revision}`;
  }

  async #ask<T>(
    options: HttpOptions,
    signal: AbortSignal | undefined,
    call: (fetch: typeof globalThis.fetch) => Promise<T>,
  ): Promise<T> {
    return withRetries(this.#what(), options, signal, async (one) => {
      try {
        return await call(this.#fetch(options, one));
      } catch (error) {
        throw this.#explain(error, one);
      }
    });
  }

  // The package supports no signal, and only tokens that begin with "hf_".
  #fetch(options: HttpOptions, { signal }: Attempt): typeof globalThis.fetch {
    return (input, init) => {
      const headers = new Headers(init?.headers);
      for (const [key, value] of Object.entries(options.headers ?? {})) headers.set(key, value);
      return (options.fetch ?? fetch)(input, { ...init, headers, signal });
    };
  }

  #explain(error: unknown, { signal }: Attempt): unknown {
    if (signal.aborted || error instanceof CheckpointError) return signal.aborted ? signal.reason : error;
    const status = (error as { statusCode?: unknown }).statusCode;
    if (typeof status !== "number") return networkFault(error, signal);
    if (status === 408 || status === 429 || status >= 500) {
      return new Fault("network", `the Hub answered HTTP ${status}`, { cause: error, status });
    }
    if (status === 401 || status === 403) {
      const advice = accessAdvice(this.#repository);
      return mismatch(this.#what(), "access", `HTTP ${status}`, advice, "forbidden", status);
    }
    if (status === 404) {
      const got = "no such repository or revision";
      return mismatch(this.#what(), "a repository", got, "Check the name.", "not-found", status);
    }
    return mismatch(
      this.#what(),
      "an answer of the Hub",
      `HTTP ${status}`,
      "Check HF_ENDPOINT.",
      "http",
      status,
    );
  }
}

/** Advice for a refusal. The Hub also answers 401 for repositories that do not exist. */
export function accessAdvice({ name, endpoint }: Repository): string {
  return `Check the name. If it is gated or private, accept its licence at ${endpoint}/${name}, make a token at ${endpoint}/settings/tokens, and set HF_TOKEN to it.`;
}
