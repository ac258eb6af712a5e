import type { Buffer, ShaderFile } from "../kernel.ts";

/** Formats of keys and values: 32, 16 and 9 bits an entry. */
export type CacheFormatName = "f32" | "f16" | "q8";

/** vec4f of a head of width d. Entries past d are zero. */
export const vectors = (d: number): number => Math.ceil(d / 4);

/** How the ring cache stores the key or value of one head and position: a row of d entries. */
export interface CacheLayout {
  readonly name: CacheFormatName;
  /** u32 words of a row. */
  words(d: number): number;
  /** Entry i of a row. */
  at(cache: Buffer, row: number, i: number, d: number): number;
  /** Stores a row of d entries, as a `writer` does. */
  store(cache: Buffer, row: number, entries: ArrayLike<number>): void;
}

/** A layout, and the shaders that read and store it. */
export interface CacheFormat extends CacheLayout {
  /** Type of the cache's binding. Tests compare f32 with a tolerance, words exactly. */
  readonly type: "f32" | "u32";
  /**
   * WGSL: `cache` at binding 1, and `fn cached4(row: u32, c: u32) -> vec4f`, entries 4c … 4c + 3 of a row. It
   * reads VECTORS. For kernels that store rows, too.
   */
  readonly source: string;
  /** The same for kernels that only read `cache`: drivers may cache or hoist such reads. */
  readonly reader: string;
  /**
   * WGSL: `fn store_unit(row: u32, unit: u32, t: u32, head: u32)`, stores one of UNITS parts of a row. It
   * reads the entries with `fresh4`.
   */
  readonly writer: readonly string[];
  /** Another `source` and `writer`, for rows of whole 16 bytes. */
  readonly wide?: WideReads;
  /** Parts of a row that threads store independently. */
  units(d: number): number;
}

/** A cache that is read and stored 16 bytes at a time. */
export interface WideReads {
  /** Whether the entries of a row of d, and its scales, are whole 16 bytes. */
  fits(d: number): boolean;
  /** vec4f of 16 bytes, a chunk. */
  readonly vectors: number;
  /** Parts of a row that threads store independently: whole 16 bytes. */
  units(d: number): number;
  /**
   * WGSL: `cache` at binding 1, `fn packed_chunk(row: u32, c: u32) -> Packed`, `fn entries(chunk: Packed, i:
   * u32) -> vec4f`, and `store_unit`. It reads CHUNKS, the chunks of a row.
   */
  readonly source: readonly ShaderFile[];
}

/** `source` with a `cache` that cannot be written. */
export const readOnly = (source: string): string => source.replace("read_write", "read");

/** Words of the rings of one layer, [B, 2, G, S] rows: keys, then values. */
export const cacheLength = (
  format: CacheFormat,
  { B, G, S, d }: { B: number; G: number; S: number; d: number },
): number => B * 2 * G * S * format.words(d);
