// Typed access to the fields of a JSON object.
import { mismatch, show } from "./errors.ts";
import { type JsonObject, own } from "./json.ts";

/** Advice for an invalid field. */
export const ADVICE = "Choose another checkpoint, or repair this file.";

/** Reads fields of an object. Every error names file and field. @throws CheckpointError */
export class Fields {
  readonly json: JsonObject;
  readonly where: string;

  constructor(json: JsonObject, where: string) {
    this.json = json;
    this.where = where;
  }

  get(name: string): unknown {
    return own(this.json, name);
  }

  /** Whether the field is neither missing nor null. */
  given(name: string): boolean {
    return (this.get(name) ?? undefined) !== undefined;
  }

  /** The error for a wrong value of a field. */
  wrong(name: string, expected: string, advice = ADVICE): Error {
    return mismatch(`${this.where}: ${name}`, expected, show(this.get(name)), advice);
  }

  /** A whole number from 1 to `max`. */
  size(name: string, max: number): number {
    const value = this.get(name);
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max) return value;
    throw this.wrong(name, `a whole number from 1 to ${max}`);
  }

  number(name: string, min: number, max: number): number {
    const value = this.get(name);
    if (typeof value === "number" && value >= min && value <= max) return value;
    throw this.wrong(name, `a number from ${min} to ${max}`);
  }

  /** A boolean. Default false. */
  flag(name: string): boolean {
    const value = this.get(name) ?? false;
    if (typeof value === "boolean") return value;
    throw this.wrong(name, "true or false");
  }

  /** Token ids below V, one or a list; undefined if missing. null and −1 mean none, as in transformers. */
  ids(name: string, V: number): readonly number[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (value === null) return [];
    const given: unknown[] = Array.isArray(value) ? value : [value];
    const list = given.filter((id) => id !== -1);
    const valid = list.filter(
      (id): id is number => Number.isInteger(id) && Number(id) >= 0 && Number(id) < V,
    );
    if (valid.length === list.length && list.length <= 1024) return valid;
    throw this.wrong(name, `token ids from 0 to ${V - 1}`);
  }
}
