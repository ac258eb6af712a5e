// Addresses of the pages of Hub repositories.
import { mismatch, show } from "../errors.ts";
import { isGguf } from "../named-file.ts";
import { HUB, isRepository } from "./hub-repository.ts";

/**
 * The repository, as owner/name[@revision][/file.gguf], of a page's address:
 * https://huggingface.co/owner/name, …/tree/revision or …/blob/revision/file, with or without the scheme, and
 * with hf.co.
 * @returns undefined for other addresses, and for …/resolve/revision: files are below it
 * @throws CheckpointError for pages that do not belong to a model
 */
export function repositoryOfPage(text: string, endpoint = HUB): string | undefined {
  const [, below] =
    /^(?:hf:(?:\/\/)?|(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\/)(.*)$/i.exec(text) ?? [];
  const path = below ?? (text.startsWith(`${endpoint}/`) ? text.slice(endpoint.length + 1) : undefined);
  if (path === undefined) return undefined;
  const [owner = "", name = "", ...rest] = path
    .replace(/[?#].*$/, "")
    .split("/")
    .filter(Boolean)
    .map(decoded);
  const wrong = (got: string) =>
    mismatch(show(text), "a model's repository", got, "Give it as owner/name or owner/name@revision.");
  if (/^(datasets|spaces|docs|papers|collections|api)$/.test(owner)) throw wrong(`a page of ${owner}`);
  const [kind = "", revision = "", ...inside] = rest;
  const isPage = /^(tree|blob|resolve)$/.test(kind);
  if (kind === "resolve" && inside.length === 0) return undefined;
  const inner = isPage ? inside : rest;
  const isFile = isGguf(inner.at(-1) ?? "");
  const folders = isFile || !isPage ? [] : kind === "tree" ? inner : inner.slice(0, -1);
  if (folders.length > 0) throw wrong(`the folder ${show(folders.join("/"))} in one`);
  const file = isFile ? `/${inner.join("/")}` : "";
  const written = file && !/^refs\/\w+\//.test(revision) ? revision.replaceAll("/", "%2F") : revision;
  const repository = `${owner}/${name}${isPage && revision ? `@${written}` : ""}${file}`;
  if (!isRepository(repository)) throw wrong("something else");
  return repository;
}

/** What is no encoding stands for itself. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
