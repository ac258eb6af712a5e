// Loads a model: here in a worker, or behind a server.
import { loadModelInWorker } from "../engine/index.ts";
import { chosenAdapter } from "./computes.ts";
import { AT_ONCE, type ChatModel, type Choice, type LoadOptions } from "./engine.ts";

export async function load(choice: Choice, more: LoadOptions): Promise<ChatModel> {
  if (choice.kind === "server") return (await import("./server-model.ts")).openServer(choice, more.signal);
  const options = { ...more, ...chosenAdapter(), parallel: AT_ONCE };
  if (choice.kind === "files") return loadModelInWorker(choice.files, options);
  if (choice.kind === "embedded") return loadModelInWorker(undefined, options);
  return loadModelInWorker(choice.name, { ...options, ...(choice.token && { token: choice.token }) });
}
