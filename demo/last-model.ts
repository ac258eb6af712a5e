// The last used model, and the windows that models were given back. The next visit starts with that model if
// it is completely stored on this device.
import { type Choice, EMBEDDED, type LoadOptions, listStoredModels } from "./engine.ts";

const KEY = "sirocco.last-model";
/** The last used server, without its key. */
const SERVER = "sirocco.last-server";
/** By the model's name: a window in tokens; null if a lost one was not given back. */
const WINDOWS = "sirocco.windows";

/** A choice that can be repeated without the visitor: without files and without a token. */
export function rememberModel(choice: Choice): void {
  try {
    if (choice.kind === "files") return;
    localStorage.removeItem(KEY);
    localStorage.removeItem(SERVER);
    if (choice.kind === "named") localStorage.setItem(KEY, choice.name);
    if (choice.kind === "server") {
      const { address, model } = choice;
      localStorage.setItem(SERVER, JSON.stringify({ address, model }));
    }
  } catch {
    // Then the next visit starts with the embedded model.
  }
}

export async function lastModel(): Promise<{
  choice: Choice;
  choices: Pick<LoadOptions, "weights" | "window">;
}> {
  const server = ownServer() ?? lastServer();
  if (server) return { choice: server, choices: {} };
  const name = localStorage.getItem(KEY);
  const stored = name ? await listStoredModels().catch(() => []) : [];
  const found = stored.find((model) => model.name === name && model.complete);
  if (!found) return { choice: EMBEDDED, choices: {} };
  const choice: Choice = { kind: "named", name: found.name };
  return { choice, choices: { weights: found.weights, ...keptWindow(choice) } };
}

/** The server that sent this page, if it is `sirocco serve`. */
export function ownServer(): Choice | undefined {
  const model = document.querySelector<HTMLMetaElement>('meta[name="sirocco-server"]')?.content;
  return model === undefined
    ? undefined
    : { kind: "server", address: new URL("v1", document.baseURI).href, model };
}

function lastServer(): Choice | undefined {
  try {
    const { address, model } = Object(JSON.parse(localStorage.getItem(SERVER) ?? "{}")) as Partial<
      Record<string, unknown>
    >;
    if (typeof address !== "string" || !URL.canParse(address)) return undefined;
    return { kind: "server", address, ...(typeof model === "string" && { model }) };
  } catch {
    return undefined;
  }
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
