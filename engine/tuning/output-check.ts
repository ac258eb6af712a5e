// Which variants of a kernel give right numbers: some outputs are compared with plain TypeScript, and all
// with those of a variant that was right.

/** Inputs of a check: ordinary numbers, and the same with outliers. */
export const INPUTS = 2;

/** Of the root mean square of a row of outputs: more than rounding gives, in whatever order sums are made. */
const TOLERANCE = 1e-3;
/** The same for variants that round their input to f16 or to int8. */
const ROUNDING_TOLERANCE = 5e-2;

/** Outputs of a launch: [rows, stride], of which the first `width` of a row count. */
export interface Launched {
  readonly variant: string;
  readonly rows: number;
  /** Index of the input. */
  readonly input: number;
  readonly values: Float32Array;
}

/** An output of a launch. */
export type Place = readonly [row: number, column: number];

export interface Checked {
  readonly width: number;
  readonly stride: number;
  /** Outputs to compare with plain TypeScript. */
  sampled(rows: number): readonly Place[];
  /** An output in plain TypeScript. */
  plain(input: number, place: Place): number;
  /** Whether a variant rounds its input. */
  rounds(variant: string): boolean;
}

export class OutputCheck {
  /** Why a variant is out, by its name: for every number of rows. */
  readonly rejections = new Map<string, string>();
  readonly #checked: Checked;
  /** The first exact variant that was right, by rows and input. */
  readonly #expected = new Map<string, Launched>();
  readonly #plain = new Map<string, number>();

  constructor(checked: Checked) {
    this.#checked = checked;
  }

  /** Compares every output. If one is wrong, the variant is in `rejections` afterwards. */
  compare(launched: Launched): void {
    const { variant, rows, input, values } = launched;
    if (this.rejections.has(variant)) return;
    const wrong = this.#findWrong(launched);
    const key = keyOf(launched);
    if (wrong) this.#reject(launched, wrong);
    else if (!this.#expected.has(key) && !this.#checked.rounds(variant))
      this.#expected.set(key, { variant, rows, input, values: values.slice() });
  }

  #findWrong(launched: Launched): Place | undefined {
    const { rows, values } = launched;
    const { width, stride, sampled } = this.#checked;
    const sample = sampled(rows).find((place) => !this.#isRight(launched, place));
    if (sample) return sample;
    const other = this.#expected.get(keyOf(launched));
    for (let row = 0; row < rows; row++) {
      const allowed = this.#allowed(launched, row);
      for (let column = 0; column < width; column++) {
        const value = values[row * stride + column]!;
        if (near(value, other ? other.values[row * stride + column]! : value, allowed)) continue;
        const place = [row, column] as const;
        if (!this.#isRight(launched, place)) return place;
        // Then the other one is wrong, where it was not sampled; or both are at the end of what is allowed.
        if (!other || this.#isRight(other, place)) continue;
        this.#reject(other, place);
        return this.#findWrong(launched);
      }
    }
    return undefined;
  }

  #reject({ variant, rows, input, values }: Launched, place: Place): void {
    const [row, column] = place;
    const value = values[row * this.#checked.stride + column];
    const where = `output ${column} of row ${row + 1} of ${rows}${input === 0 ? "" : ", with outliers,"}`;
    const right = this.#plainly(input, place);
    this.rejections.set(variant, `gives ${value} for ${where} where plain arithmetic gives ${right}`);
    for (const [key, expected] of this.#expected)
      if (expected.variant === variant) this.#expected.delete(key);
  }

  #isRight(launched: Launched, place: Place): boolean {
    const [row, column] = place;
    const value = launched.values[row * this.#checked.stride + column]!;
    return near(value, this.#plainly(launched.input, place), this.#allowed(launched, row));
  }

  /** The largest error that a row of outputs may have. */
  #allowed(launched: Launched, row: number): number {
    const { variant, values } = launched;
    const { width, stride, rounds } = this.#checked;
    const from = this.#expected.get(keyOf(launched))?.values ?? values;
    let squares = 0;
    for (let at = row * stride; at < row * stride + width; at++) squares += from[at]! ** 2;
    return (rounds(variant) ? ROUNDING_TOLERANCE : TOLERANCE) * Math.sqrt(squares / width);
  }

  #plainly(input: number, place: Place): number {
    const key = `${input} ${place}`;
    const value = this.#plain.get(key) ?? this.#checked.plain(input, place);
    this.#plain.set(key, value);
    return value;
  }
}

const keyOf = ({ rows, input }: Launched): string => `${rows} ${input}`;

/** An infinity is near nothing: the allowed error may be infinite, too. */
const near = (value: number, right: number, allowed: number): boolean =>
  Math.abs(value) < Infinity && Math.abs(value - right) <= allowed;
