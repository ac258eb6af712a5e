// Names of Hub repositories, and addresses of their pages.
import { label, mismatch, show } from "../errors.ts";

export interface Repository {
  /** owner/name */
  readonly name: string;
  readonly revision: string;
  /** The Hub's address, without a final slash. */
  readonly endpoint: string;
}

export const HUB = "https://huggingface.co";

/** `owner/name` or `owner/name@revision`. @throws CheckpointError for anything else. */
export function parseRepository(text: string, endpoint = HUB): Repository {
  if (!/^https?:\/\//.test(endpoint)) {
    throw mismatch("HF_ENDPOINT", "an http(s) address", show(endpoint), "Correct or unset it.");
  }
  if (isRepository(text)) {
    const [name = "", revision = "main"] = text.split("@");
    return { name, revision, endpoint: endpoint.replace(/\/+$/, "") };
  }
  throw mismatch(label(text), "owner/name or owner/name@revision", "something else", "Check the name.");
}

/** Whether `text` has the form owner/name or owner/name@revision. */
export function isRepository(text: string): boolean {
  return (
    /^[\w][\w.-]{0,95}\/[\w][\w.-]{0,95}(?:@[\w][\w./-]{0,250})?$/.test(text) &&
    !/\.\.|\/\/|\/$|^[^@]*--/.test(text)
  );
}

/**
 * The repository, as owner/name[@revision], of a page's address: https://huggingface.co/owner/name,
 * …/tree/revision or …/blob/revision/file, with or without the scheme, and with hf.co.
 * @returns undefined for other addresses, and for …/resolve/revision: files are below it
 * @throws CheckpointError for pages that do not belong to a model
 */
export function repositoryOfPage(text: string, endpoint = HUB): string | undefined {
  const [, rest] =
    /^(?:hf:(?:\/\/)?|(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\/)(.*)$/i.exec(text) ?? [];
  const path = rest ?? (text.startsWith(`${endpoint}/`) ? text.slice(endpoint.length + 1) : undefined);
  if (path === undefined) return undefined;
  const [owner = "", name = "", kind, revision, ...inner] = path
    .replace(/[?#].*$/, "")
    .split("/")
    .filter(Boolean);
  const wrong = (got: string) =>
    mismatch(show(text), "a model's repository", got, "Give it as owner/name or owner/name@revision.");
  if (/^(datasets|spaces|docs|papers|collections|api)$/.test(owner)) throw wrong(`a page of ${owner}`);
  if (kind === "resolve" && inner.length === 0) return undefined;
  const inFolder = kind === "tree" ? inner.length > 0 : inner.length > 1;
  if (inFolder)
    throw wrong(`the folder ${show(inner.slice(0, kind === "tree" ? undefined : -1).join("/"))} in one`);
  const named = kind === "tree" || kind === "blob" || kind === "resolve" ? revision : undefined;
  const repository = `${owner}/${name}${named ? `@${decodeURIComponent(named)}` : ""}`;
  if (!isRepository(repository)) throw wrong("something else");
  return repository;
}
