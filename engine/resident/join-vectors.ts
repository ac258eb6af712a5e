// Vectors that are several tensors of a checkpoint. Models without such vectors do not fetch it.

/** A tensor that is a part of a vector: the buffer that it is uploaded to, and where its numbers go. */
export interface Join {
  readonly from: GPUBuffer;
  readonly to: GPUBuffer;
  readonly at: number;
  readonly length: number;
}

/** Submits the copies. */
export function joinVectors(device: GPUDevice, joins: readonly Join[]): Promise<unknown> {
  const encoder = device.createCommandEncoder();
  for (const { from, to, at, length } of joins) encoder.copyBufferToBuffer(from, 0, to, 4 * at, 4 * length);
  device.queue.submit([encoder.finish()]);
  return device.queue.onSubmittedWorkDone();
}
