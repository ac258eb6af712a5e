// The name that loads a model, from what a visitor typed or pasted.

/** A page of the Hub, or of a GGUF file in it, with or without the scheme. */
const PAGE =
  /^(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\/([^/?#]+\/[^/?#]+)(?:\/(?:tree|blob|resolve)\/([^/?#]+)(\/[^/?#]+\.gguf)?)?\/*(?:[?#].*)?$/i;

/** As the list of stored models names it: `owner/name`, also with `/file.gguf`, or an address. */
export function modelName(text: string): string {
  const [, repository, revision, file = ""] = PAGE.exec(text) ?? [];
  const name =
    repository === undefined
      ? text
      : `${repository}${revision ? `@${decodeURIComponent(revision)}` : ""}${decodeURIComponent(file)}`;
  return name.replace(/@main(?=$|\/[^/]*$)|\/+$/g, "");
}

/** A name without the GGUF file in it. */
export const withoutFile = (name: string): string => name.replace(/\/[^/]+\.gguf$/i, "");

/**
 * Where the API of a server begins.
 * @param text as in "localhost:8000", with or without the scheme and "/v1"
 * @returns undefined if it is no address
 */
export function serverAddress(text: string): string | undefined {
  const typed = text.trim();
  const isNear = /^(localhost|127\.|\[?::1|192\.168\.|10\.)/.test(typed);
  const whole = /^https?:\/\//i.test(typed) ? typed : `${isNear ? "http" : "https"}://${typed}`;
  if (!/^\S+$/.test(typed) || !URL.canParse(whole)) return undefined;
  const { origin, pathname } = new URL(whole);
  const path = pathname.replace(/(\/(chat\/completions|completions|models))?\/*$/, "");
  return `${origin}${path || "/v1"}`;
}
