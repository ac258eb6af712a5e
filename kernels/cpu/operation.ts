// The contract of an operation: how the CPU device computes a kernel.
import type { Compiled } from "./compiled.ts";

/** A buffer as a thread sees it: views of the whole buffer. */
export interface Operand {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  /** Its address in its heap. */
  readonly address: number;
  /** This thread, at work in that heap. */
  readonly home: Thread;
}

/**
 * The address of a buffer that compiled functions of the first heap read or write.
 * @throws Error if it is in another heap: such a buffer has to be `near` (engine/gpu/buffers.ts)
 */
export function nearAddress({ address, home }: Operand): number {
  if (!home.isNear) throw new Error("An operand: expected a buffer in the first heap.");
  return address;
}

/** Bytes that compiled functions may read past the end of an operand: the memory has to have them. */
export const PAST_END = 128;

/** A thread at work in one heap: there are its compiled functions, and its scratch. */
export interface Thread {
  /** Whether it is the first heap. */
  readonly isNear: boolean;
  readonly compiled: Compiled;
  /**
   * Address of `bytes` of scratch, 16-byte aligned. All operations of the thread share it: its content does
   * not survive an operation.
   */
  scratch(bytes: number): number;
  /** Views of the heap, to read and write scratch. */
  readonly heap: { readonly u8: Uint8Array; readonly u32: Uint32Array; readonly f32: Float32Array };
}

/**
 * A part of an operation. Its items are independent of each other, and any partition of them gives the same
 * bits. All of a phase are done before the next phase begins.
 */
export interface Phase {
  readonly items: number;
  /** Each run prepares so much that a thread gets one part, of the same size as the others. Default false */
  readonly evenly?: boolean;
  run(first: number, end: number): void;
}

/**
 * Prepares a launch; its phases run for each token. `operands` come in the order of `kernel.bindings(size)`.
 * @param call the kernel's `cpu`
 * @param thread at work in the first heap
 */
export type Operation<Call, Size> = (
  call: Call,
  size: Size,
  operands: readonly Operand[],
  thread: Thread,
) => readonly Phase[];
