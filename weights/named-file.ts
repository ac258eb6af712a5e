// Errors for a file that was named instead of a checkpoint's folder.
import { type CheckpointError, mismatch, show } from "./errors.ts";

/** Whether a name is one of a GGUF file: it is a checkpoint by itself. */
export const isGguf = (name: string): boolean => /\.gguf$/i.test(name);

/** A path below a folder, for an address. */
export const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

const ENDING = /\.(json|safetensors|bin|pth?|zip|tar|tgz|gz|jinja|model)$/i;

/** Whether the name has an extension of model files. */
const looksLikeFile = (name: string): boolean => ENDING.test(name);

/** The error for a path or URL of a file. @param folder the folder that contains it */
export function fileForFolder(file: string, folder: string): CheckpointError {
  const [got, advice] = gotAndAdvice(ENDING.exec(file)?.[1]?.toLowerCase(), folder);
  return mismatch(show(file), "a folder", got, advice);
}

function gotAndAdvice(ending: string | undefined, folder: string): [got: string, advice: string] {
  switch (ending) {
    case "json":
    case "jinja":
    case "model":
    case "safetensors":
      return ["a file", `Name its folder: ${show(folder)}.`];
    case "zip":
    case "tar":
    case "tgz":
    case "gz":
      return ["an archive", "Unpack it and name the folder."];
    default:
      return ["a file", "Name a folder with config.json and .safetensors files."];
  }
}

/**
 * Parses the URL of a folder, or of a GGUF file.
 * @throws CheckpointError for an invalid URL, one with a password, or the URL of another file
 */
export function folderUrl(address: string): URL {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw mismatch(show(address), "an address", "something else", "Check it.");
  }
  const shown = `${url.origin}${url.pathname}`; // Without user, password and query, which may be secret.
  if (url.username !== "" || url.password !== "")
    throw mismatch(shown, "an address without user and password", "one with them", "Leave them out.");
  if (!looksLikeFile(url.pathname)) return url;
  throw fileForFolder(shown, new URL(".", shown).href);
}
