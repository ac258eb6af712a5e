// The last used model, and the windows that models were given back. The next visit starts with that model if
// it is completely stored on this device.
import { type Choice, EMBEDDED, type LoadOptions, listStoredModels } from "./engine.ts";

const KEY = "sirocco.last-model";
/** By the model's name: a window in tokens; null if a lost one was not given back. */
const WINDOWS = "sirocco.windows";

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
  choices: Pick<LoadOptions, "weights" | "window">;
}> {
  const name = localStorage.getItem(KEY);
  const stored = name ? await listStoredModels().catch(() => []) : [];
  const found = stored.find((model) => model.name === name && model.complete);
  if (!found) return { choice: EMBEDDED, choices: {} };
  const choice: Choice = { kind: "named", name: found.name };
  return { choice, choices: { weights: found.weights, ...keptWindow(choice) } };
}

/** null: it was not given back; undefined: the visitor was not asked yet. */
export const windowOf = (choice: Choice): number | null | undefined =>
  choice.kind === "named" ? windows()[choice.name] : undefined;

/** As an option of loading. */
export function keptWindow(choice: Choice): Pick<LoadOptions, "window"> {
  const window = windowOf(choice);
  return typeof window === "number" ? { window } : {};
}

export function rememberWindow(choice: Choice, window: number | undefined): void {
  if (choice.kind !== "named") return;
  try {
    localStorage.setItem(WINDOWS, JSON.stringify({ ...windows(), [choice.name]: window ?? null }));
  } catch {
    // Then it is asked for again.
  }
}

function windows(): Readonly<Record<string, number | null>> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(WINDOWS) ?? "{}");
    const entries = Object.entries(Object(kept)).filter(([, it]) => it === null || Number.isSafeInteger(it));
    return Object.fromEntries(entries) as Record<string, number | null>;
  } catch {
    return {};
  }
}
