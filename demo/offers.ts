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
import { AT_ONCE, type Choice } from "./engine.ts";

/**
 * A plan for each useful weight format, the smallest first. `fits` is the plan that loading would choose.
 */
export interface Offers {
  readonly plans: readonly Plan[];
  readonly fits: Plan;
}

/** Plans all formats. Reads config and headers only, and each of them once. */
export async function offers(choice: Choice, signal: AbortSignal): Promise<Offers> {
  const source = remembering(sourceOf(choice));
  const plan = (weights: NonNullable<LoadOptions["weights"]>) =>
    planModel(source, { weights, parallel: AT_ONCE, signal });
  const fits = await plan("auto");
  const stored = fits.checkpointBytes / fits.parameters > 3 ? "f32" : "bf16";
  const plans = [fits];
  for (const format of ["q4", "q8", stored] as const) {
    if (plans.some(({ weights }) => weights === format)) continue;
    try {
      plans.push(await plan(format));
    } catch (error) {
      // A packed checkpoint has one format only, and this adapter may be too small for another.
      signal.throwIfAborted();
      const refused = error instanceof CheckpointError || error instanceof DeviceError;
      if (!refused || error instanceof DeviceLostError) throw error;
    }
  }
  return { fits, plans: plans.sort((a, b) => a.totalBytes - b.totalBytes) };
}

function sourceOf(choice: Choice): Source {
  if (choice.kind === "files") return fileSource(choice.files, choice.name);
  if (choice.kind === "embedded") throw new TypeError("The embedded model needs no pre-flight.");
  const { name, token } = choice;
  return /^https?:\/\//.test(name) ? httpSource(name) : hubSource(name, { token });
}

/** A source that requests each size and range only once. */
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
