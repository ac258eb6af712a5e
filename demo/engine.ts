// The engine, which runs in a worker. Only this file and offers.ts import its code.
import { type LoadOptions, loadModelInWorker, type Model } from "../engine/index.ts";

export type {
  AdapterDescription,
  Chunk,
  ErrorCode,
  Finish,
  LoadOptions,
  Message,
  Model,
  Plan,
  Progress,
  Source,
  StoredModel,
} from "../engine/index.ts";
export {
  deleteStoredModel,
  deleteStoredModels,
  listStoredModels,
  persistStorage,
} from "../engine/index.ts";

/**
 * Where a model comes from: the site itself, a repository or URL, or files that the visitor picked.
 */
export type Choice =
  | { readonly kind: "embedded" }
  | { readonly kind: "named"; readonly name: string; readonly token?: string }
  | { readonly kind: "files"; readonly name: string; readonly files: readonly File[] };

export const EMBEDDED: Choice = { kind: "embedded" };

export function choiceName(choice: Choice): string {
  return choice.kind === "embedded" ? "Tiny Tales 5M" : choice.name;
}

/** The page runs one answer at a time, so one ring of keys and values is enough. */
export const AT_ONCE = 1;

export function load(choice: Choice, more: LoadOptions): Promise<Model> {
  const options = { ...more, parallel: AT_ONCE };
  if (choice.kind === "files") return loadModelInWorker(choice.files, options);
  if (choice.kind === "embedded") return loadModelInWorker(undefined, options);
  return loadModelInWorker(choice.name, { ...options, ...(choice.token && { token: choice.token }) });
}
