// The fields of one JSON object, read by kind.
import { mismatch, show } from "./errors.ts";
import { type JsonObject, own } from "./json.ts";

/** What to do about a field that no model of the family has. */
export const ADVICE = "Choose another checkpoint, or repair this file.";

/** Reads fields; every refusal names file and field. */
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

  /** Neither missing nor null. */
  given(name: string): boolean {
    return (this.get(name) ?? undefined) !== undefined;
  }

  wrong(name: string, expected: string, advice = ADVICE): Error {
    return mismatch(`${this.where}: ${name}`, expected, show(this.get(name)), advice);
  }

  /** A whole number, 1 to `most`. */
  size(name: string, most: number): number {
    const value = this.get(name);
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw this.wrong(name, `a whole number from 1 to ${most}`);
  }

  number(name: string, least: number, most: number): number {
    const value = this.get(name);
    if (typeof value === "number" && value >= least && value <= most) return value;
    throw this.wrong(name, `a number from ${least} to ${most}`);
  }

  /** A boolean; false where it is not given. */
  flag(name: string): boolean {
    const value = this.get(name) ?? false;
    if (typeof value === "boolean") return value;
    throw this.wrong(name, "true or false");
  }

  /** One token id or several, all below V. Null and −1 mean none, as in the Python libraries. undefined where nothing is said. */
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
