// The messages between a load and the worker that hashes its file. One worker hashes one file.
import type { FileState } from "../../weights/index.ts";

/** To the worker. It handles requests in order. */
export type HashRequest =
  | { readonly type: "open"; readonly state?: FileState | undefined; readonly length?: number | undefined }
  | { readonly type: "update"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: "state" }
  | { readonly type: "digest" };

/** From the worker: one answer to each request, in order. */
export type HashAnswer = FileState | string | undefined;
