// The last used model. The next visit starts with it if it is completely stored on this device.
import { type Choice, EMBEDDED, type LoadOptions, listStoredModels } from "./engine.ts";

const KEY = "sirocco.last-model";

/** A choice that can be repeated without the visitor: without files and without a token. */
export function rememberModel(choice: Choice): void {
  try {
    if (choice.kind === "named") localStorage.setItem(KEY, choice.name);
    else if (choice.kind === "embedded") localStorage.removeItem(KEY);
  } catch {
    // Then the next visit starts with the embedded model.
  }
}

export async function lastModel(): Promise<{
  choice: Choice;
  weights: NonNullable<LoadOptions["weights"]>;
}> {
  const name = localStorage.getItem(KEY);
  const stored = name ? await listStoredModels().catch(() => []) : [];
  const found = stored.find((model) => model.name === name?.replace(/@main$|\/+$/, "") && model.complete);
  return found
    ? { choice: { kind: "named", name: found.name }, weights: found.weights }
    : { choice: EMBEDDED, weights: "auto" };
}
