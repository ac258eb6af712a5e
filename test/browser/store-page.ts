// A page that manages stored models, and controls workers that load them.
import {
  deleteStoredModel,
  deleteStoredModels,
  listStoredModels,
  persistStorage,
  planModel,
} from "../../engine/index.ts";
import { decodeRecords } from "../../weights/index.ts";
import type { Order } from "./store-worker.ts";

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly name: string; readonly message: string; readonly missingBytes?: number };
  readonly progress?: string;
  readonly loaded?: number;
}

let worker: Worker | undefined;

/** Sends a call; `killAt` ends the worker when loading reaches this point. */
function order(order: Order, killAt = Infinity): Promise<Answer> {
  const asked = worker ?? new Worker("/worker.js", { type: "module" });
  worker = asked;
  return new Promise((resolve) => {
    asked.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data.progress === undefined) return resolve(data);
      if ((data.loaded ?? 0) < killAt) return;
      kill();
      resolve(data);
    };
    asked.onerror = ({ message }) => resolve({ error: { name: "worker", message } });
    asked.postMessage(order);
  });
}

function kill(): void {
  worker?.terminate();
  worker = undefined;
}

/** The files of the only stored model. */
async function storedFolder(): Promise<FileSystemDirectoryHandle> {
  const models = await (await navigator.storage.getDirectory()).getDirectoryHandle("sirocco-models");
  for await (const handle of models.values()) return handle as FileSystemDirectoryHandle;
  throw new Error("nothing is stored");
}

/** Changes one byte of a stored file. */
async function flip(file: string, at: number): Promise<void> {
  const handle = await (await storedFolder()).getFileHandle(file);
  const [byte = 0] = new Uint8Array(await (await handle.getFile()).slice(at, at + 1).arrayBuffer());
  const writable = await handle.createWritable({ keepExistingData: true });
  await writable.write({ type: "write", position: at, data: Uint8Array.of(byte ^ 1) });
  await writable.close();
}

/** Names of the tensors that the only stored model has, as stored. */
async function storedTensors(): Promise<string[]> {
  const folder = await storedFolder();
  for await (const name of folder.keys()) {
    if (!name.endsWith(".journal")) continue;
    const file = await (await folder.getFileHandle(name)).getFile();
    const { records } = decodeRecords(new Uint8Array(await file.arrayBuffer()));
    return records.flatMap(({ tensor }) => (typeof tensor === "string" ? tensor : []));
  }
  return [];
}

const page = {
  order,
  kill,
  flip,
  storedTensors,
  listStoredModels,
  deleteStoredModel,
  deleteStoredModels,
  persistStorage,
  // Chromium's adapter is a software driver here.
  planModel: (source: string) => planModel(source, { adapter: "webgpu" }),
};
export type StorePage = typeof page;
Object.assign(globalThis, { store: page });
