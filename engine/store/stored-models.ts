// What is stored in this browser: listed, deleted, asked to be kept. The code behind it is fetched when it is first used.
import type { StoredModel } from "../api.ts";

const folders = () => import("./model-folders.ts");

/** The models stored here, the last used first. Empty where nothing can be stored. */
export const listStoredModels = async (): Promise<StoredModel[]> => (await folders()).listStoredModels();

/**
 * Deletes one model.
 * @param spec as it was loaded: `owner/name`, `owner/name@revision`, or its address
 * @param weights one format of it; default all
 * @throws ModelInUseError where it is loaded
 */
export const deleteStoredModel = async (spec: string, weights?: StoredModel["weights"]): Promise<void> =>
  (await folders()).deleteStoredModel(spec, weights);

/** Deletes all models. @throws ModelInUseError where one is loaded; those before it are gone. */
export const deleteStoredModels = async (): Promise<void> => (await folders()).deleteStoredModels();

/** Asks the browser to keep what is stored when the disk gets full. False where it does not promise. */
export const persistStorage = async (): Promise<boolean> =>
  (await globalThis.navigator?.storage?.persist?.()) ?? false;
