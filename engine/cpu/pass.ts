// The launches of a compute pass, as steps of a submit.
import type { Kernel } from "../../kernels/kernel.ts";
import type { CpuBuffer } from "./buffer.ts";
import type { Step } from "./commands.ts";

export interface Pipeline {
  getBindGroupLayout(index: number): Pipeline;
  readonly kernel: Kernel;
  readonly size: object;
}

/** A pipeline with its buffers: what threads know by an id. */
export interface BindGroup extends Pick<Pipeline, "kernel" | "size"> {
  readonly id: number;
  readonly buffers: readonly CpuBuffer[];
}

/** A launch without an operation. */
export interface ReferenceStep {
  readonly type: "reference";
  readonly group: BindGroup;
  readonly T: number;
}

export type AnyStep = Step | ReferenceStep;

export interface CommandBuffer {
  readonly steps: readonly AnyStep[];
}

/** Collects the launches of a pass. */
export class ComputePass {
  readonly #steps: AnyStep[];
  readonly #launches: number[] = [];
  #group: BindGroup | undefined;
  #T = -1;

  constructor(steps: AnyStep[]) {
    this.#steps = steps;
  }

  setPipeline(): void {}

  setBindGroup(_index: number, group: BindGroup): void {
    this.#group = group;
  }

  /** @param T rows of the next launch */
  setRows(T: number | undefined): void {
    this.#T = T ?? -1;
  }

  dispatchWorkgroups(): void {
    const group = this.#group!;
    if (group.kernel.cpu) this.#launches.push(group.id, this.#T);
    else {
      this.end();
      this.#steps.push({ type: "reference", group, T: this.#T });
    }
  }

  end(): void {
    if (this.#launches.length > 0)
      this.#steps.push({ type: "launches", launches: Int32Array.from(this.#launches) });
    this.#launches.length = 0;
  }
}
