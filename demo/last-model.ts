// The model that was used last: where it is kept on this device whole, the next visit begins with it.
import { type Choice, EMBEDDED, type LoadOptions, listStoredModels } from "./engine.ts";

const KEY = "sirocco.last-model";

/** A choice that can be made again without the visitor: neither files nor a token are kept. */
export function rememberModel(choice: Choice): void {
  try {
    if (choice.kind === "named") localStorage.setItem(KEY, choice.name);
    else if (choice.kind === "embedded") localStorage.removeItem(KEY);
  } catch {
    // Then the next visit begins with the embedded model.
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
