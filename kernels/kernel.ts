// The contract every kernel keeps: a shader, how to launch it, and the plain TypeScript it must agree with.

/** One storage buffer a kernel binds, at `@group(0) @binding(slot)`; without a slot, its place in the list. */
export interface Binding {
  readonly name: string;
  readonly slot?: number;
  readonly type: "f32" | "u32";
  /** Elements of four bytes. */
  readonly length: number;
  readonly writes?: true;
}

export type Buffer = Float32Array | Uint32Array;

export type Workgroups = readonly [x: number, y?: number, z?: number];

/** What a launch has to do, for the profiler and the bench. */
export interface Cost {
  /** Floating-point operations; a multiplication with its addition counts two. */
  readonly flops?: number;
  /** How often a launch goes over the whole of a binding, by name, where that is not once. */
  readonly passes?: Readonly<Record<string, number>>;
}

/** What an adapter must have to run a kernel. */
export interface Requirements {
  /** Features without which the shader does not compile. */
  readonly requires?: readonly GPUFeatureName[];
  /** Subgroup size that the shader is written for. Default: any. */
  readonly subgroupSize?: number;
}

export interface Kernel<Size = object> extends Requirements {
  /** Also the entry point's name. Variants share an entry point and differ in `variant`. */
  readonly name: string;
  /** What tells this variant from the others of the same name, for labels: "q4", "bf16_norm", … */
  readonly variant?: string;
  /** WGSL files, concatenated. Numbers that depend on the model are `override`s. */
  readonly source: readonly string[];
  /** Sizes the tests run, most awkward first. */
  readonly testSizes: readonly Size[];
  /** Largest allowed difference, relative to floor + |expected|. Default 1e-3; say why where it is larger. */
  readonly tolerance?: number;
  /** Default 1e-3. */
  readonly floor?: number;
  bindings(size: Size): readonly Binding[];
  /** Values of the shader's `override`s. */
  constants(size: Size): Record<string, number>;
  /** `const` lines put before the source, where WGSL forbids an override (register tiles, private arrays). */
  prelude?(size: Size): Record<string, number>;
  workgroups(size: Size): Workgroups;
  /** Work at a size where the last row stands at `position`. Default: every binding once, no arithmetic to speak of. */
  cost?(size: Size, position: number): Cost;
  /** Test contents of a binding where random numbers would not do (ids, positions, packed weights). */
  fill?(size: Size, name: string, random: () => number): Buffer | undefined;
  /** Same buffers, same result, no cleverness. */
  reference(size: Size, ...buffers: Buffer[]): void;
}
