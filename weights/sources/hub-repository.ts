// Names of Hub repositories.
import { label, mismatch, show } from "../errors.ts";

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
