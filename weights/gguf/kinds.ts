// GGUF files that are no models, by `general.type` of gguf-py (constants.py, GGUFType).
import { mismatch } from "../errors.ts";
import type { Metadata } from "./metadata.ts";

const NAME_THE_MODEL = "Name the file of the model itself.";

const KINDS: Readonly<Record<string, readonly [got: string, advice: string]>> = {
  adapter: [
    "an adapter (LoRA)",
    "Merge it into its base model (llama-export-lora of llama.cpp), and load the result.",
  ],
  mmproj: ["a projector of images", `${NAME_THE_MODEL} Sirocco reads no images.`],
  imatrix: ["an importance matrix, which quantising uses", NAME_THE_MODEL],
};

/** @throws CheckpointError for a file that is no model */
export function requireModel(metadata: Metadata): void {
  // Projectors had an architecture before they had a type.
  const isClip = metadata.get("general.architecture") === "clip";
  const kind = isClip ? "mmproj" : metadata.text("general.type");
  if (kind === undefined || !Object.hasOwn(KINDS, kind)) return;
  const [got, advice] = KINDS[kind] as NonNullable<(typeof KINDS)[string]>;
  throw mismatch(metadata.file, "a model", got, advice);
}
