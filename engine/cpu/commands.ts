// What the caller's thread tells the threads that compute, and what they answer. Plain data: it goes through
// postMessage. Every thread takes the commands in the same order.
import type { CpuCall } from "../../kernels/kernel.ts";

/** Bytes of a heap. */
export interface Place {
  readonly heap: number;
  /** In bytes, a multiple of 64. */
  readonly offset: number;
  readonly bytes: number;
}

/** A part of a submit. */
export type Step =
  /** Pairs of a launch and its number of rows T, or -1 for its own. */
  | { readonly type: "launches"; readonly launches: Int32Array<ArrayBuffer> }
  | { readonly type: "copy"; readonly from: Place; readonly to: Place };

/** A command for all threads. */
export type SharedCommand =
  /** One more heap. Without memory the thread, which is the only one, makes its own. */
  | { readonly type: "heap"; readonly memory: WebAssembly.Memory | undefined }
  /** A heap has this many bytes at least, from now on. */
  | { readonly type: "grow"; readonly heap: number; readonly bytes: number }
  | {
      readonly type: "launch";
      readonly id: number;
      readonly call: CpuCall;
      readonly size: object;
      readonly operands: readonly Place[];
    }
  /** A buffer is destroyed: launches with it never run again. */
  | { readonly type: "free"; readonly place: Place }
  | { readonly type: "submit"; readonly steps: readonly Step[] };

/** A command for the first thread. */
export type FirstCommand =
  | { readonly type: "clear"; readonly place: Place }
  | { readonly type: "write"; readonly place: Place; readonly data: ArrayBuffer }
  /** Is answered when all before it is done. */
  | { readonly type: "read"; readonly reply: number; readonly place: Place | undefined };

export type Command = SharedCommand | FirstCommand;

export type Answer =
  | { readonly type: "read"; readonly reply: number; readonly data: ArrayBuffer | undefined }
  | { readonly type: "error"; readonly outOfMemory: boolean; readonly message: string };
