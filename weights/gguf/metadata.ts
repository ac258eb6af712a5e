// Typed access to the metadata of a GGUF file.
import { label, mismatch, show } from "../errors.ts";
import type { GgufHeader, GgufValue } from "./header.ts";

const ADVICE = "Choose another conversion of the model.";
export const UNSUPPORTED = "Sirocco does not run this; choose another model.";

/** Reads keys. Every error names file and key. @throws CheckpointError */
export class Metadata {
  readonly file: string;
  readonly #values: ReadonlyMap<string, GgufValue>;

  constructor({ file, metadata }: Pick<GgufHeader, "file" | "metadata">) {
    this.file = file;
    this.#values = metadata;
  }

  get(key: string): GgufValue | undefined {
    return this.#values.get(key);
  }

  keys(): string[] {
    return [...this.#values.keys()];
  }

  /** The error for a wrong value. */
  wrong(key: string, expected: string, advice = ADVICE): Error {
    return mismatch(`${this.file}: ${label(key)}`, expected, show(this.get(key)), advice);
  }

  /** undefined if the key is missing. A list of equal numbers, one for each layer, is one number. */
  number(key: string): number | undefined {
    const value = this.get(key);
    if (value === undefined || typeof value === "number") return value;
    const [first, ...others] = typeof value === "object" ? value : [];
    if (typeof first === "number" && others.every((other) => other === first)) return first;
    throw this.wrong(key, "a number, the same in all layers", UNSUPPORTED);
  }

  required(key: string): number {
    const value = this.number(key);
    if (value === undefined) throw this.wrong(key, "a number");
    return value;
  }

  text(key: string): string | undefined {
    const value = this.get(key);
    if (value === undefined || typeof value === "string") return value;
    throw this.wrong(key, "a text");
  }

  flag(key: string): boolean | undefined {
    const value = this.get(key);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.wrong(key, "true or false");
  }

  texts(key: string): readonly string[] | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (typeof value === "object" && value.every((each) => typeof each === "string")) {
      return value as readonly string[]; // Every element was just seen to be a text.
    }
    throw this.wrong(key, "a list of texts");
  }

  numbers(key: string): readonly number[] | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (typeof value === "object" && value.every((each) => typeof each === "number")) {
      return value as readonly number[]; // Every element was just seen to be a number.
    }
    throw this.wrong(key, "a list of numbers");
  }
}

/** An f32 as the shortest decimal that rounds to it: 0.00001, not 0.000009999999747378752. */
export function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}
