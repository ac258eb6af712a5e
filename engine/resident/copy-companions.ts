// Copies what belongs to a checkpoint beside its weights. Node only.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, companionFiles, otherVocabularies } from "../../weights/node.ts";

/** Writes config.json and the tokenizer's files into a folder. @returns their names */
export async function copyCompanions(
  { source, companions }: Checkpoint,
  out: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const copied: string[] = [];
  if (companions) {
    for (const [file, json] of companions()) {
      await writeFile(join(out, file), JSON.stringify(json));
      copied.push(file);
    }
    return copied;
  }
  const complete = (await source.size("tokenizer.json", signal)) !== undefined;
  for (const file of complete ? companionFiles : [...companionFiles, ...otherVocabularies]) {
    if ((await source.size(file, signal)) === undefined) continue;
    await writeFile(join(out, file), await source.read(file, undefined, undefined, signal));
    copied.push(file);
  }
  return copied;
}
