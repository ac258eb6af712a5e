// Lists, deletes and protects the models stored in this browser. The code behind it is a lazy chunk.
import type { StoredModel } from "../api.ts";

const folders = () => import("./model-folders.ts");

/**
 * The models stored in this browser, the last used first. Empty if nothing can be stored, as in Node.
 *
 * @example
 * ```ts
 * import { deleteStoredModel, listStoredModels } from "sirocco";
 *
 * for (const { name, weights, complete } of await listStoredModels()) {
 *   if (!complete) await deleteStoredModel(name, weights);
 * }
 * ```
 */
export const listStoredModels = async (): Promise<StoredModel[]> => (await folders()).listStoredModels();

/**
 * Deletes one stored model. Does nothing if it is not stored.
 *
 * @param spec the source it was loaded by: `owner/name`, `owner/name@revision`, each also with `/file.gguf`,
 * or its address
 * @param weights the format to delete. Default: all formats.
 * @throws ModelInUseError if it is loaded
 */
export const deleteStoredModel = async (spec: string, weights?: StoredModel["weights"]): Promise<void> =>
  (await folders()).deleteStoredModel(spec, weights);

/** Deletes all stored models. @throws ModelInUseError if one is loaded; those before it are gone. */
export const deleteStoredModels = async (): Promise<void> => (await folders()).deleteStoredModels();

/**
 * Asks the browser to keep what is stored when the disk gets full. False if it does not promise to, as in
 * Node.
 */
export const persistStorage = async (): Promise<boolean> =>
  (await globalThis.navigator?.storage?.persist?.()) ?? false;
