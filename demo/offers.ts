// What a model would need, in each useful weight format. Loaded on demand, as it contains the planner.
import {
  CheckpointError,
  DeviceError,
  DeviceLostError,
  fileSource,
  httpSource,
  hubSource,
  type LoadOptions,
  type Plan,
  planModel,
  type Source,
} from "../engine/index.ts";
import { chosenAdapter } from "./computes.ts";
import { AT_ONCE, type Choice, hasFiles } from "./engine.ts";
import { firstPart, type GgufFile, ggufFiles } from "./gguf-files.ts";

/**
 * A plan for each useful weight format, the smallest first. `fits` is the plan that loading would choose.
 */
export interface Offers {
  readonly plans: readonly Plan[];
  readonly fits: Plan;
  /** The attention window that the checkpoint has lost, in tokens. */
  readonly lostWindow: number | undefined;
  /** The one that is given back. */
  readonly window: number | undefined;
  /** The GGUF file that was read. */
  readonly file: string | undefined;
  /** The GGUF files there are. */
  readonly files: readonly GgufFile[];
  /** The same with another window, or none. */
  withWindow(window: number | undefined): Promise<Offers>;
}

/**
 * Plans all formats. Reads config and headers only, and each of them once. A lost window is given back.
 *
 * @param window null: not even a lost one
 * @param contextLength undefined: the model's own
 */
export async function offers(
  choice: Choice,
  window: number | null | undefined,
  contextLength: number | undefined,
  signal: AbortSignal,
): Promise<Offers> {
  const source = remembering(sourceOf(choice));
  const asked = {
    ...chosenAdapter(),
    parallel: AT_ONCE,
    signal,
    ...(contextLength !== undefined && { contextLength }),
  };
  const plain = await planModel(source, asked);
  const { lostWindow } = plain;
  const file = source.files.find((name) => /\.gguf$/i.test(name));
  const files = file !== undefined && choice.kind === "named" ? await ggufFiles(source, signal) : [];
  const plan = async (window: number | undefined): Promise<Offers> => {
    const fits = window === undefined ? plain : await planModel(source, { ...asked, window });
    const plans = await planAll(source, fits, { ...asked, ...(window !== undefined && { window }) });
    const read = file === undefined ? undefined : firstPart(file);
    return { ...{ plans, fits, lostWindow, window, file: read, files }, withWindow: plan };
  };
  return plan(window === undefined ? lostWindow : (window ?? undefined));
}

/** All useful formats, the smallest first. @param fits the one that loading would choose */
async function planAll(
  source: Source,
  fits: Plan,
  options: LoadOptions & { readonly signal: AbortSignal },
): Promise<Plan[]> {
  const bytesEach = fits.checkpointBytes / fits.parameters;
  const quantised = bytesEach < QUANTISED;
  const stored = bytesEach > 3 ? "f32" : "bf16";
  const plans = [fits];
  for (const weights of quantised ? (["q4"] as const) : (["q4", "q8", stored] as const)) {
    if (plans.some((plan) => plan.weights === weights)) continue;
    try {
      const plan = await planModel(source, { ...options, weights });
      // Codes are rounded again only to save much.
      if (!quantised || plan.weightBytes < MUCH_LESS * fits.weightBytes) plans.push(plan);
    } catch (error) {
      // A packed checkpoint has one format only, and this adapter may be too small for another.
      options.signal.throwIfAborted();
      const refused = error instanceof CheckpointError || error instanceof DeviceError;
      if (!refused || error instanceof DeviceLostError) throw error;
    }
  }
  return plans.sort((a, b) => a.totalBytes - b.totalBytes);
}

/** Bytes of a weight, below which a checkpoint is quantised. */
const QUANTISED = 1.5;
const MUCH_LESS = 0.75;

function sourceOf(choice: Choice): Source {
  if (!hasFiles(choice))
    throw new TypeError(`${choice.kind}: expected a model with files. It needs no pre-flight.`);
  if (choice.kind === "files") return fileSource(choice.files);
  const { name, token } = choice;
  return /^https?:\/\//.test(name) ? httpSource(name) : hubSource(name, { token });
}

/** A source that requests each size and range only once. `files` are those that were read. */
function remembering(source: Source): Source & { readonly files: readonly string[] } {
  const answers = new Map<string, Promise<unknown>>();
  const files: string[] = [];
  const once = <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const answer = (answers.get(key) as Promise<T> | undefined) ?? ask();
    answers.set(key, answer);
    return answer;
  };
  return {
    name: source.name,
    file: source.file,
    files,
    list: (signal) => once("list", async () => (await source.list?.(signal)) ?? []),
    size: (file, signal) => once(`size ${file}`, () => source.size(file, signal)),
    read(file, start, end, signal) {
      files.push(file);
      return once(`read ${file} ${start} ${end}`, () => source.read(file, start, end, signal));
    },
  };
}
