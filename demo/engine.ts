// The one place of the demo that imports the engine's code. The engine runs in a worker; the page only shows.
import { fileSource, httpSource, loadModel, planModel, type Source } from "../engine/index.ts";
import type { LoadOptions, Model, Plan } from "../engine/index.ts";

export type {
  AdapterDescription,
  Chunk,
  Finish,
  LoadOptions,
  Message,
  Model,
  Plan,
  Progress,
} from "../engine/index.ts";

/** Where a model comes from: the one in the site, a repository or URL by name, or files that the visitor picked. */
export type Choice =
  | { readonly kind: "embedded" }
  | { readonly kind: "named"; readonly name: string; readonly token?: string }
  | { readonly kind: "files"; readonly name: string; readonly files: readonly File[] };

export const EMBEDDED: Choice = { kind: "embedded" };
export const MISTRAL = "mistralai/Mistral-7B-Instruct-v0.3";

export function choiceName(choice: Choice): string {
  return choice.kind === "embedded" ? "Tiny Tales 5M" : choice.name;
}

export function load(choice: Choice, options: LoadOptions): Promise<Model> {
  if (choice.kind === "files") return loadModel(fileSource(choice.files, choice.name), options);
  if (choice.kind === "embedded") return loadModel(undefined, options);
  return loadModel(choice.name, { ...options, ...(choice.token && { token: choice.token }) });
}

/** A plan for each weight format that makes sense, the smallest first; `fits` is the one that loading would take. */
export interface Offers {
  readonly plans: readonly Plan[];
  readonly fits: Plan;
}

/** Reads config and headers only, once for all formats. */
export async function offers(choice: Choice, signal: AbortSignal): Promise<Offers> {
  const source = remembering(await sourceOf(choice));
  const plan = (weights: NonNullable<LoadOptions["weights"]>) => planModel(source, { weights, signal });
  const fits = await plan("auto");
  const stored = fits.checkpointBytes / fits.parameters > 3 ? "f32" : "bf16";
  const plans = [fits];
  for (const format of ["q4", "q8", stored] as const) {
    if (plans.some(({ weights }) => weights === format)) continue;
    try {
      plans.push(await plan(format));
    } catch (error) {
      // A packed checkpoint has one format; and a format whose parts this adapter cannot hold is none to offer.
      signal.throwIfAborted();
      if (!/^(CheckpointError|DeviceError)$/.test((error as Error).name)) throw error;
    }
  }
  return { fits, plans: plans.sort((a, b) => a.totalBytes - b.totalBytes) };
}

function sourceOf(choice: Choice): Source {
  if (choice.kind === "files") return fileSource(choice.files, choice.name);
  if (choice.kind === "embedded") throw new TypeError("The embedded model needs no pre-flight.");
  const { name, token } = choice;
  if (/^https?:\/\//.test(name)) return httpSource(name);
  const [repository, revision = "main"] = name.split("@");
  return httpSource(`https://huggingface.co/${repository}/resolve/${revision}/`, {
    ...(token && { headers: { authorization: `Bearer ${token}` } }),
  });
}

/** Asks `source` for each size and range once. */
function remembering(source: Source): Source {
  const answers = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const answer = (answers.get(key) as Promise<T> | undefined) ?? ask();
    answers.set(key, answer);
    return answer;
  };
  return {
    name: source.name,
    size: (file, signal) => once(`size ${file}`, () => source.size(file, signal)),
    read: (file, start, end, signal) =>
      once(`read ${file} ${start} ${end}`, () => source.read(file, start, end, signal)),
  };
}

export interface StoredModel {
  readonly name: string;
  readonly weights: string;
  /** Bytes that are here, of so many. */
  readonly bytes: number;
  readonly totalBytes: number;
  readonly complete: boolean;
  readonly lastUsed: Date;
}

/** Weights that the browser keeps. Until the engine keeps some there are none. */
export const modelStore = {
  listStoredModels: async (): Promise<readonly StoredModel[]> => [],
  deleteStoredModel: async (_name: string, _weights?: string): Promise<void> => {},
  deleteStoredModels: async (): Promise<void> => {},
  persistStorage: async (): Promise<boolean> => (await navigator.storage?.persist?.()) ?? false,
};
