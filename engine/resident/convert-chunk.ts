// One chunk of checkpoint rows -> the buffers of a weight format: what loading and packing both do on the GPU.
import {
  type ConvertSize,
  convert,
  convertRange,
  type InputDtype,
  type WeightFormat,
} from "../../kernels/index.ts";
import { encode, launch, type Pipelines, wholeWords } from "../gpu/dispatch.ts";

/** Most bytes of a tensor on the host at once. */
export const CHUNK_BYTES = 8 * 2 ** 20;

/** Where a chunk is put for the kernel: its bytes as read, and u32 [4] which rows they become. */
export interface ChunkBuffers {
  readonly raw: GPUBuffer;
  readonly range: GPUBuffer;
}

/** Submits the conversion of `bytes`, whole rows of `dtype`, into the rows that `size` names of `stored`. */
export async function convertChunk(
  device: GPUDevice,
  pipelines: Pipelines,
  [dtype, format]: readonly [InputDtype, WeightFormat],
  size: ConvertSize,
  bytes: Uint8Array<ArrayBuffer>,
  { raw, range }: ChunkBuffers,
  stored: readonly GPUBuffer[],
): Promise<void> {
  device.queue.writeBuffer(raw, 0, wholeWords(bytes));
  device.queue.writeBuffer(range, 0, convertRange(size));
  const dispatch = await pipelines.prepare(launch(convert(dtype, format), size, raw, range, ...stored));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  encode(pass, [dispatch]);
  pass.end();
  device.queue.submit([encoder.finish()]);
}
