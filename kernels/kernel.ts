// The contract of a kernel: a shader, how to launch it, and a reference in plain TypeScript.

/** A storage buffer at `@group(0) @binding(slot)`. Default slot: its place in the list. */
export interface Binding {
  readonly name: string;
  readonly slot?: number;
  readonly type: "f32" | "u32";
  /** In elements of four bytes. */
  readonly length: number;
  /** The elements that have a meaning; the rest of them may become any number. Default: all. */
  readonly used?: number;
  readonly writes?: true;
}

export type Buffer = Float32Array | Uint32Array;

export type Workgroups = readonly [x: number, y?: number, z?: number];

/** `count` workgroups in lines of 64: no dimension may be over 65535. */
export const lines = (count: number): readonly [x: number, y: number] => [
  Math.min(count, 64),
  Math.ceil(count / 64),
];

/** The work of a launch, for the profiler and the bench. */
export interface Cost {
  /** Floating-point operations. A multiply-add counts as two. */
  readonly flops?: number;
  /** How many times a launch reads or writes the whole of a binding, by name. Default: once. */
  readonly passes?: Readonly<Record<string, number>>;
}

/** The text of a WGSL file, or a function that loads it: see tuned-shaders.ts. */
export type ShaderFile = string | (() => Promise<string>);

/** The files of a module that is loaded when a pipeline needs one of them, by their names there. */
export const lazyShaders =
  <Name extends string>(load: () => Promise<Readonly<Record<Name, string>>>) =>
  (name: Name): ShaderFile =>
  async () =>
    (await load())[name];

/**
 * The order of codes in each 8 columns of a quantised input. `even_odd`: 0 2 4 6, 1 3 5 7, as masks of q4's
 * words give nibbles.
 */
export type CodeOrder = "natural" | "even_odd";

/** What an adapter must have to run a kernel. */
export interface Requirements {
  /** Features without which the shader does not compile. */
  readonly requires?: readonly GPUFeatureName[];
  /** Subgroup size that the shader is written for. Default: any. */
  readonly subgroupSize?: number;
  /** Bytes of workgroup memory. Default: at most 16 KiB, which every device has. */
  readonly workgroupBytes?: number;
  /** Threads of a workgroup. Default: at most 256, which every device has. */
  readonly workgroupThreads?: number;
}

/**
 * How the CPU device computes a kernel: the name of an operation (kernels/cpu/index.ts), and what is fixed
 * for the kernel. Plain data: threads get it by message.
 */
export interface CpuCall {
  readonly op: string;
  readonly [field: string]: string | number | boolean | undefined;
}

export interface Kernel<Size = object> extends Requirements {
  /** Also the name of the entry point. Variants share an entry point and differ in `variant`. */
  readonly name: string;
  /** Distinguishes variants of one name, for labels: "q4", "bf16_lane", … */
  readonly variant?: string;
  /** WGSL files, concatenated in this order. Numbers that depend on the model are `override`s. */
  readonly source: readonly ShaderFile[];
  /** Sizes that the tests run, the most awkward first. */
  readonly testSizes: readonly Size[];
  /**
   * Largest allowed difference, relative to floor + |expected|. Default 1e-3. If it is larger, a comment says
   * why.
   */
  readonly tolerance?: number;
  /** Default 1e-3. */
  readonly floor?: number;
  /** The kernel reads `codes` and `groups` of quantize_input in place of `x`, in this order. */
  readonly quantizedInput?: CodeOrder;
  /** Default: the CPU device runs `reference`. */
  readonly cpu?: CpuCall;
  bindings(size: Size): readonly Binding[];
  /** Values of the shader's `override`s. */
  constants(size: Size): Record<string, number>;
  /** `const` lines before the source, for numbers that cannot be overrides in WGSL (private arrays). */
  prelude?(size: Size): Record<string, number>;
  workgroups(size: Size): Workgroups;
  /** The work of a launch whose last token is at `position`. Default: every binding once, no arithmetic. */
  cost?(size: Size, position: number): Cost;
  /**
   * Test contents of a binding. Default: random numbers. Ids, positions and packed weights need their own.
   */
  fill?(size: Size, name: string, random: () => number): Buffer | undefined;
  /** Computes the same results on the same buffers, in plain loops. */
  reference(size: Size, ...buffers: Buffer[]): void;
}
