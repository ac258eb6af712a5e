// Measures attention over a full cache in all variants.
import {
  type AttentionVariant,
  attend,
  attentionCombine,
  attentionSplits,
  attentionVariants,
  type Buffer,
  cacheLength,
  decodeRows,
  firstVisible,
  padded,
  partialLength,
  prefillRows,
  ringContents,
  storeNewest,
} from "../../kernels/index.ts";
import type { Pass } from "../api.ts";
import { type Dispatch, type Launch, launch, type Pipelines, readBuffer } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Shape } from "../graph/shape.ts";
import { randomU32, rms, TOLERANCE, VariantBench } from "./variant-bench.ts";

/** Rows of the cache that differ. A full cache repeats them. */
const DIFFERENT_ROWS = 61;

export class AttentionBench extends VariantBench {
  readonly #pass: Pass;
  readonly #shape: Shape;
  readonly #size: Pick<Shape, "B" | "H" | "G" | "d" | "S" | "W"> & { T: number; positions: number[] };
  #buffers: Record<"qkv" | "cache" | "rows" | "partial" | "out", GPUBuffer> | undefined;
  #host: Buffer[] = [];
  /** Outputs of the first variant that was right. */
  #expected: Float32Array | undefined;

  /**
   * @param keys the most positions of the cache
   * @param tokens the most rows of a prefill pass
   */
  constructor(gpu: Gpu, pipelines: Pipelines, pass: Pass, shape: Shape, keys: number, tokens: number) {
    super(gpu, pipelines);
    this.#pass = pass;
    this.#shape = shape;
    const { B, H, G, d, W } = shape;
    const S = Math.min(shape.S, keys);
    const T = pass === "decode" ? B : Math.min(tokens, shape.chunkLength, S);
    const positions = pass === "decode" ? Array.from({ length: B }, () => S - 1) : [S - T];
    this.#size = { T, B, H, G, d, S, W, positions };
  }

  protected prepare(variant: string): Promise<Dispatch[]> {
    this.#buffers ??= this.#fill();
    return Promise.all(this.#launches(variant).map((each) => this.pipelines.prepare(each)));
  }

  #launches(variant: string): Launch[] {
    const { cacheFormat } = this.#shape;
    const { qkv, cache, rows, partial, out } = this.#buffers!;
    const { decode, prefill, splits } = attentionVariants[variant as AttentionVariant];
    if (this.#pass === "prefill")
      return [launch(prefill(cacheFormat), { ...this.#size, store: false }, qkv, cache, rows, out)];
    const size = { ...this.#size, SPLITS: splits ? attentionSplits(this.#size) : 1, store: true };
    if (size.SPLITS === 1) return [launch(decode(cacheFormat), size, qkv, cache, rows, out)];
    return [
      launch(decode(cacheFormat), size, qkv, cache, rows, partial),
      launch(attentionCombine, size, partial, rows, out),
    ];
  }

  /** Random queries, keys and values. Keys and values repeat, as timing does not depend on them. */
  #fill() {
    const { cacheFormat } = this.#shape;
    const size = this.#size;
    const { T, H, d } = size;
    const random = randomU32();
    const standing = this.#pass === "decode" ? decodeRows(size) : prefillRows(size);
    const contents = (name: string) => ringContents(cacheFormat, size, name, random, standing)!;
    const words = cacheFormat.words(d);
    const array = cacheFormat.type === "f32" ? Float32Array : Uint32Array;
    const few = new array(DIFFERENT_ROWS * words);
    for (let row = 0; row < DIFFERENT_ROWS; row++) {
      cacheFormat.store(
        few,
        row,
        Float32Array.from({ length: d }, () => random() / 2 ** 31 - 1),
      );
    }
    const cache = new array(cacheLength(cacheFormat, size));
    for (let at = 0; at < cache.length; at += few.length) cache.set(few.subarray(0, cache.length - at), at);
    this.#host = [contents("qkv"), cache, contents("rows")];
    const [qkv, , rows] = this.#host;
    const upload = (name: string, data: Buffer) => {
      const buffer = this.made.storage(`tuning ${name}`, data.length);
      this.gpu.device.queue.writeBuffer(buffer, 0, data as Buffer & ArrayBufferView<ArrayBuffer>);
      return buffer;
    };
    const partials = partialLength({ ...size, SPLITS: attentionSplits(size) });
    return {
      qkv: upload("qkv", qkv!),
      cache: upload("cache", cache),
      rows: upload("rows", rows!),
      partial: this.made.storage("tuning partial", this.#pass === "decode" ? partials : 1),
      out: this.made.storage("tuning out", T * padded(H * d)),
    };
  }

  /**
   * Compares some heads of the last row with plain TypeScript, and all with those of the first variant that
   * was right.
   */
  protected async findMismatch(): Promise<string | undefined> {
    const { cacheFormat } = this.#shape;
    const size = this.#size;
    const { T, H, d, W } = size;
    const { out } = this.#buffers!;
    const actual = new Float32Array(await readBuffer(this.gpu.device, out, 0, 4 * T * padded(H * d)));
    if (actual.every((value) => value === 0)) return "gives nothing but zeros";
    const allowed = TOLERANCE * rms(actual);
    const t = T - 1;
    if (this.#pass === "decode") storeNewest(cacheFormat, size, this.#host, t);
    const position = this.#host[2]![4 * t + 1]!;
    for (const h of new Set([0, H >> 1, H - 1])) {
      const from = firstVisible(position, W);
      const { values, sum } = attend(cacheFormat, size, this.#host, t, h, from, position + 1);
      for (const [i, value] of values.entries()) {
        const at = t * padded(H * d) + h * d + i;
        if (!(Math.abs(actual[at]! - value / sum) <= allowed))
          return `gives ${actual[at]} for entry ${i} of head ${h} where plain arithmetic gives ${value / sum}`;
      }
    }
    const expected = this.#expected ?? actual;
    const at = actual.findIndex((value, i) => !(Math.abs(value - expected[i]!) <= allowed));
    if (at >= 0) return `gives ${actual[at]} for output ${at} where another variant gives ${expected[at]}`;
    this.#expected ??= actual;
    return undefined;
  }
}
