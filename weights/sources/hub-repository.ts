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
}

export const HUB = "https://huggingface.co";

/** owner/name, @revision, /file.gguf */
const FORM =
  /^([\w][\w.-]{0,95}\/[\w][\w.-]{0,95}(?<!\.gguf))(?:@([\w][\w./-]{0,250}?))?(?:\/([^/\\\0@]{1,200}\.gguf))?$/i;

/**
 * `owner/name` or `owner/name@revision`, each also with `/file.gguf`.
 * @throws CheckpointError for anything else
 */
export function parseRepository(text: string, endpoint = HUB): Repository {
  if (!/^https?:\/\//.test(endpoint)) {
    throw mismatch("HF_ENDPOINT", "an http(s) address", show(endpoint), "Correct or unset it.");
  }
  if (isRepository(text)) {
    const [, name = "", revision = "main", file] = FORM.exec(text) ?? [];
    return { name, revision, endpoint: endpoint.replace(/\/+$/, ""), ...(file !== undefined && { file }) };
  }
  throw mismatch(label(text), "owner/name or owner/name@revision", "something else", "Check the name.");
}

/** Whether `text` has the form owner/name or owner/name@revision, or one of these with /file.gguf. */
export const isRepository = (text: string): boolean =>
  FORM.test(text) && !/\.\.|\/\/|\/$|^[^@/]*\/?[^@/]*--/.test(text);

/**
 * The repository, as owner/name[@revision][/file.gguf], of a page's address:
 * https://huggingface.co/owner/name, …/tree/revision or …/blob/revision/file, with or without the scheme, and
 * with hf.co.
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
  const last = kind === undefined || named ? inner[0] : kind;
  const file = last !== undefined && isGguf(last) ? `/${decodeURIComponent(last)}` : "";
  const repository = `${owner}/${name}${named ? `@${decodeURIComponent(named)}` : ""}${file}`;
  if (!isRepository(repository)) throw wrong("something else");
  return repository;
}
