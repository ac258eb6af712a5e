// LoRA adapters as llama.cpp's server has them: each has an id, its place among those of the model, and a
// scale by which it applies to requests that name no adapter.
import { refuseOthers } from "../engine/apis/quiet-fields.ts";
import type { Model, ScaledAdapter } from "../engine/node.ts";
import { isParameterError, outOfRange, shown, wrongType } from "../engine/options/parameter.ts";
import { isObject } from "../weights/json.ts";

interface NamedScale {
  readonly name: string;
  readonly scale: number;
}

/** An option of calls. */
interface Chosen {
  readonly adapter?: readonly ScaledAdapter[];
}

/** `path` is what the list has beside the others. */
const FIELDS = new Set(["id", "path", "scale"]);
/** The engine's. */
const MAX_SCALE = 1000;

type UsedModel = Pick<Model, "adapters" | "generate">;

export class DefaultAdapters {
  readonly #model: UsedModel;
  #scales: readonly NamedScale[];

  /** @param scales of adapters that apply from the start, by name. All others have the scale 0 */
  constructor(model: UsedModel, scales: readonly NamedScale[] = []) {
    this.#model = model;
    this.#scales = scales;
  }

  /** All adapters of the model. No path of this machine is told: the name stands for it. */
  get list(): readonly { readonly id: number; readonly path: string; readonly scale: number }[] {
    const scaleOf = (name: string): number => this.#scales.find((each) => each.name === name)?.scale ?? 0;
    return this.#model.adapters.map((path, id) => ({ id, path, scale: scaleOf(path) }));
  }

  /**
   * Whether requests can use the scales.
   * @param where what an error calls them
   * @throws RangeError with `parameter`
   */
  check(where: string): Promise<void> {
    return tryOut(this.#model, this.#scales, where);
  }

  /** Sets all default scales. An adapter that is not in the list gets 0. @throws as `chosen` */
  async set(given: unknown): Promise<void> {
    this.#scales = await this.#read(given, "body");
  }

  /**
   * What a request's answers are computed with, as an option of calls.
   * @param lora its own list. null or undefined: the default scales
   * @throws TypeError, RangeError with `parameter`
   */
  async chosen(lora?: unknown): Promise<Chosen> {
    return choiceOf(lora === undefined || lora === null ? this.#scales : await this.#read(lora, "lora"));
  }

  /** `[{ id, scale }]` */
  async #read(given: unknown, where: string): Promise<readonly NamedScale[]> {
    const names = this.#model.adapters;
    if (!Array.isArray(given))
      throw wrongType(where, `expected a list of { id, scale }, got ${shown(given)}.`);
    if (given.length > names.length)
      throw outOfRange(where, `expected at most ${names.length} adapters, got ${given.length}.`);
    const scales = given.map((each: unknown, i) => {
      const at = `${where}[${i}]`;
      if (!isObject(each)) throw wrongType(at, `expected { id, scale }, got ${shown(each)}.`);
      refuseOthers(each, FIELDS, `${at}.`);
      const { id, scale } = each;
      const name = names[id as number];
      if (typeof id !== "number" || name === undefined)
        throw outOfRange(`${at}.id`, `expected an id that GET /lora-adapters lists, got ${shown(id)}.`);
      if (given.findIndex((other) => isObject(other) && other["id"] === id) < i)
        throw outOfRange(`${at}.id`, `expected each id once, got ${id} twice.`);
      if (typeof scale !== "number")
        throw wrongType(`${at}.scale`, `expected a number, got ${shown(scale)}.`);
      if (!(Math.abs(scale) <= MAX_SCALE))
        throw outOfRange(`${at}.scale`, `expected ${-MAX_SCALE} to ${MAX_SCALE}, got ${scale}.`);
      return { name, scale };
    });
    await tryOut(this.#model, scales, where);
    return scales;
  }
}

const choiceOf = (scales: readonly NamedScale[]): Chosen => {
  const adapter = scales.filter(({ scale }) => scale !== 0);
  return adapter.length > 0 ? { adapter } : {};
};

/** Asks the engine for an answer that is aborted before it begins: only its options are checked. */
async function tryOut(model: UsedModel, scales: readonly NamedScale[], where: string): Promise<void> {
  const { adapter } = choiceOf(scales);
  if (!adapter) return;
  try {
    const answer = model.generate([0], { adapter, signal: AbortSignal.abort() });
    await answer.next();
    await answer.return();
  } catch (error) {
    const { parameter, detail } = isParameterError(error) ? error : {};
    throw parameter === "adapter" && detail !== undefined ? outOfRange(where, detail) : error;
  }
}
