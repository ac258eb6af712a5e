// The folders of stored models: names, listing, deleting. Works on the main thread, too.
import { type WeightFormatName, weightFormatNames } from "../../kernels/formats/table.ts";
import { cachedName, decodeRecords, describeJournal, sha256OfText } from "../../weights/index.ts";
import type { StoredModel } from "../api.ts";
import { inUse, takeLease } from "./lock.ts";
import { modelsFolder, readWhole } from "./opfs.ts";

/** The small files of a checkpoint and the headers of its shards. */
export const CACHE_FILE = "source";

export const storedFiles = (weights: WeightFormatName) => ({
  weights: `${weights}.safetensors`,
  journal: `${weights}.journal`,
  used: `${weights}.used`,
});

/** …/owner/name/resolve/revision, and a file in it. */
const AT_HUB = /^https:\/\/huggingface\.co\/([^/]+\/[^/]+)\/resolve\/([^/]+)(\/[^/]+\.gguf)?\/*$/i;

/**
 * One name for each model, however it was written: `owner/name`, `owner/name@revision`, each also with
 * `/file.gguf`, or the address without its query. Of a split GGUF file, the name of the first part.
 */
export function modelName(spec: string): string {
  const address = URL.canParse(spec) ? new URL(spec).origin + new URL(spec).pathname : spec;
  const [, repository, revision, file = ""] = AT_HUB.exec(address) ?? [];
  const name = repository === undefined ? address : decodeURIComponent(`${repository}@${revision}${file}`);
  return name.replace(/@main(?=$|\/[^/]*$)|\/+$/g, "").replace(/-\d{5}(?=-of-\d{5}\.gguf$)/i, "-00001");
}

/** The name of a model's folder is a digest, since a model's name may be an address. */
export const folderName = async (name: string): Promise<string> => (await sha256OfText(name)).slice(0, 32);

/** The stored models, most recently used first. Empty if nothing can be stored here. */
export async function listStoredModels(): Promise<StoredModel[]> {
  const found: StoredModel[] = [];
  for await (const folder of folders()) {
    const name = cachedName(await readWhole(folder, CACHE_FILE));
    if (name !== undefined) {
      const formats = weightFormatNames.map((weights) => describe(folder, modelName(name), weights));
      found.push(...(await Promise.all(formats)).filter((model) => model !== undefined));
    }
  }
  return found.sort((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime());
}

async function describe(
  folder: FileSystemDirectoryHandle,
  name: string,
  weights: WeightFormatName,
): Promise<StoredModel | undefined> {
  const files = storedFiles(weights);
  const said = describeJournal(decodeRecords(await readWhole(folder, files.journal)).records);
  if (!said) return undefined;
  const used = Number(new TextDecoder().decode(await readWhole(folder, files.used)));
  return { name, weights, ...said, lastUsed: new Date(used) };
}

/** Deletes one model, in one format or in all. @throws ModelInUseError if it is loaded */
export async function deleteStoredModel(spec: string, weights?: StoredModel["weights"]): Promise<void> {
  const name = modelName(spec);
  const models = await modelsFolder();
  if (!models) return;
  const lease = await takeLease(name, false);
  try {
    const folder = await folderName(name);
    if (weights !== undefined) {
      const of = await models.getDirectoryHandle(folder).catch(notFound);
      // The journal first: without it the other files are ignored.
      for (const file of of ? (["journal", "weights", "used"] as const) : [])
        await of?.removeEntry(storedFiles(weights)[file]).catch(notFound);
      const left = await listStoredModels();
      if (left.some((model) => model.name === name)) return;
    }
    await models.removeEntry(folder, { recursive: true }).catch(notFound);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NoModificationAllowedError")
      throw inUse(name, { cause: error });
    throw error;
  } finally {
    lease.release();
  }
}

/** Deletes all models. @throws ModelInUseError if one is loaded; the models before it are deleted */
export async function deleteStoredModels(): Promise<void> {
  for (const name of new Set((await listStoredModels()).map((model) => model.name)))
    await deleteStoredModel(name);
  // The folders left have no name yet: from loads that were cut off early, or are running.
  const held = (await globalThis.navigator?.locks?.query())?.held ?? [];
  if (held.some(({ name }) => name?.startsWith("sirocco:"))) return;
  const models = await modelsFolder();
  for await (const { name } of folders()) await models?.removeEntry(name, { recursive: true });
}

async function* folders(): AsyncGenerator<FileSystemDirectoryHandle, void, void> {
  const models = await modelsFolder();
  const found: FileSystemDirectoryHandle[] = [];
  for await (const handle of models?.values() ?? []) {
    if (handle.kind === "directory") found.push(handle as FileSystemDirectoryHandle);
  }
  yield* found;
}

function notFound(error: unknown): undefined {
  if (error instanceof DOMException && error.name === "NotFoundError") return undefined;
  throw error;
}
