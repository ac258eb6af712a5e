// Names of Hub repositories, and addresses of their pages.
import { label, mismatch, show } from "../errors.ts";
import { isGguf } from "../named-file.ts";

export interface Repository {
  /** owner/name */
  readonly name: string;
  readonly revision: string;
  /** The Hub's address, without a final slash. */
  readonly endpoint: string;
  /** The GGUF file that was named in it. */
  readonly file?: string;
  /** The folder of that file, with a final slash. Missing at the top of the repository. */
  readonly folder?: string;
}

export const HUB = "https://huggingface.co";

/** owner/name, @revision, /folder/file.gguf */
const FORM =
  /^([\w][\w.-]{0,95}\/[\w][\w.-]{0,95}(?<!\.gguf))(?:@(refs\/\w+\/[\w.-]+|[\w](?:[\w./-]|%2f){0,250}?))?(?:\/((?:[^/\\\0@]{1,200}\/){0,9})([^/\\\0@]{1,200}\.gguf))?$/i;

/**
 * `owner/name` or `owner/name@revision`, each also with `/file.gguf` or `/folder/file.gguf`. Before a file,
 * slashes of other revisions than `refs/…/…` are written as %2F.
 * @throws CheckpointError for anything else
 */
export function parseRepository(text: string, endpoint = HUB): Repository {
  if (!/^https?:\/\//.test(endpoint)) {
    throw mismatch("HF_ENDPOINT", "an http(s) address", show(endpoint), "Correct or unset it.");
  }
  if (isRepository(text)) {
    const [, name = "", revision = "main", folder, file] = FORM.exec(text) ?? [];
    return {
      ...{ name, revision: revision.replace(/%2f/gi, "/"), endpoint: endpoint.replace(/\/+$/, "") },
      ...(file !== undefined && { file }),
      ...(folder && { folder }),
    };
  }
  throw mismatch(label(text), "owner/name or owner/name@revision", "something else", "Check the name.");
}

/**
 * Whether `text` has the form owner/name or owner/name@revision, or one of these with
 * /file.gguf or /folder/file.gguf.
 */
export const isRepository = (text: string): boolean =>
  FORM.test(text) && !/\.\.|\/\.?\/|\/$|^[^@/]*\/?[^@/]*--/i.test(text);

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
