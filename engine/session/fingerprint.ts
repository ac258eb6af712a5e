// Identifies a model by samples of every tensor on the GPU, in its weight format.
import type { ModelConfig } from "../../weights/index.ts";
import { sha256, sha256OfText } from "../../weights/index.ts";
import { readPieces } from "../gpu/dispatch.ts";
import { weightBuffers } from "../graph/weights.ts";
import type { GpuModel } from "../resident/gpu-model.ts";

/** Bytes of a sample, and samples of a buffer, evenly spread. A fine-tuned model differs everywhere. */
const SAMPLE = 256;
const SAMPLES = 8;

/** SHA-256 in hexadecimal digits. Equal for equal checkpoints in equal weight and cache formats. */
export async function fingerprint(
  { gpu, weights, plan, decoder }: GpuModel,
  config: ModelConfig,
): Promise<string> {
  let length = 0;
  const samples = weightBuffers(weights).flatMap((buffer) => {
    const bytes = Math.min(SAMPLE, buffer.size);
    const last = Math.floor((buffer.size - bytes) / 4);
    return Array.from({ length: SAMPLES }, (_, i) => {
      const offset = 4 * Math.floor((last * i) / (SAMPLES - 1));
      const to = length;
      length += bytes;
      return { buffer, offset, to, bytes };
    });
  });
  const read = await gpu.settle(readPieces(gpu.device, samples, length));
  const format = [plan.weights, decoder.shape.cacheFormat.name];
  return sha256OfText(JSON.stringify([config, format, await sha256(new Uint8Array(read))]));
}
