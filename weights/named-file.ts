// A file named where the folder of a checkpoint should be.
import { type CheckpointError, mismatch, show } from "./errors.ts";

const ENDING = /\.(json|safetensors|gguf|bin|pth?|zip|tar|tgz|gz|jinja|model)$/i;

/** Whether `name` ends like a file of a model. */
const looksLikeFile = (name: string): boolean => ENDING.test(name);

/** `file` is what was named, a path or an address; `folder` is where it lies. */
export function fileForFolder(file: string, folder: string): CheckpointError {
  const [got, advice] = gotAndAdvice(ENDING.exec(file)?.[1]?.toLowerCase(), folder);
  return mismatch(show(file), "the folder of a checkpoint", got, advice);
}

function gotAndAdvice(ending: string | undefined, folder: string): [got: string, advice: string] {
  switch (ending) {
    case "json":
    case "jinja":
    case "model":
    case "safetensors":
      return ["a file", `Name the folder that it lies in: ${show(folder)}.`];
    case "gguf":
      return ["a GGUF file", "Sirocco reads safetensors: choose the original repository of the model."];
    case "zip":
    case "tar":
    case "tgz":
    case "gz":
      return ["an archive", "Unpack it and name the folder."];
    default:
      return ["a file", "Name a folder with config.json and .safetensors files."];
  }
}

/** The address of a folder as it is. @throws CheckpointError for that of a file. */
export function folderUrl(address: string): URL {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw mismatch(show(address), "an address", "something else", "Check it.");
  }
  if (!looksLikeFile(url.pathname)) return url;
  const shown = `${url.origin}${url.pathname}`; // Without what may be secret.
  throw fileForFolder(shown, new URL(".", shown).href);
}
