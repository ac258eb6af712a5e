// The contract of an operation: how the CPU device computes a kernel.
import type { Compiled } from "./compiled.ts";

/** A buffer as a thread sees it: views of the whole buffer. */
export interface Operand {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  /** Its address in heap 0, where compiled functions work. undefined: it is in another heap. */
  readonly address: number | undefined;
}

/**
 * The address of a buffer that compiled functions read or write.
 * @throws Error if it is in another heap: such a buffer has to be `near` (engine/gpu/buffers.ts)
 */
export function nearAddress({ address }: Operand): number {
  if (address === undefined) throw new Error("An operand: expected a buffer in the first heap.");
  return address;
}

export interface Thread {
  /** The compiled functions, over heap 0. */
  readonly compiled: Compiled;
  /**
   * Address of `bytes` of scratch of this thread in heap 0, 16-byte aligned. All operations of the thread
   * share it: its content does not survive an operation.
   */
  scratch(bytes: number): number;
  /** Views of heap 0, to read and write scratch. */
  readonly heap: { readonly u8: Uint8Array; readonly u32: Uint32Array; readonly f32: Float32Array };
}

/**
 * A part of an operation. Its items are independent of each other, and any partition of them gives the same
 * bits. All of a phase are done before the next phase begins.
 */
export interface Phase {
  readonly items: number;
  run(first: number, end: number): void;
}

/**
 * Prepares a launch; its phases run for each token. `operands` come in the order of `kernel.bindings(size)`.
 * @param call the kernel's `cpu`
 */
export type Operation<Call, Size> = (
  call: Call,
  size: Size,
  operands: readonly Operand[],
  thread: Thread,
) => readonly Phase[];
