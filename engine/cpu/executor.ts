// A thread of the CPU device: it takes commands in order, and computes its share of every launch. All threads
// run the same list; a barrier separates the phases of its launches.
import type { Compiled } from "../../kernels/cpu/compiled.ts";
import { operations } from "../../kernels/cpu/index.ts";
import type { Operand, Phase, Thread } from "../../kernels/cpu/operation.ts";
import { BARRIER_BYTES, Barrier } from "./barrier.ts";
import type { Answer, Command, Place, SharedCommand, Step } from "./commands.ts";
import { MEMORY, PAGE } from "./heap.ts";
import { Portions } from "./portions.ts";

/** Bytes of scratch of a thread, at the start of each heap. What is never touched takes no memory. */
export const SCRATCH_BYTES = 16 * 2 ** 20;

/** No buffer is at address 0. */
export const SCRATCH_START = 64;

export interface ExecutorOptions {
  /** Of this thread: 0 also copies, writes and answers. */
  readonly index: number;
  /** Number of threads. */
  readonly count: number;
  /** The words of a barrier, then those of portions. Undefined for a single thread. */
  readonly shared: SharedArrayBuffer | undefined;
  /** Instantiates the compiled functions over a heap. */
  readonly instantiate: (memory: WebAssembly.Memory) => Compiled;
  readonly answer: (answer: Answer) => void;
}

const isSame = (a: Place, b: Place): boolean => a.heap === b.heap && a.offset === b.offset;

/** A memory, and views of all of it. */
class HeapViews {
  readonly memory: WebAssembly.Memory;
  u8!: Uint8Array;
  u32!: Uint32Array;
  f32!: Float32Array;

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.refresh();
  }

  grow(bytes: number): void {
    const missing = bytes - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE));
  }

  /** Views what the memory has grown to, in whichever thread it grew. */
  refresh(): void {
    // Growing by nothing makes the buffer as long as the memory is.
    this.memory.grow(0);
    const { buffer } = this.memory;
    this.u8 = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f32 = new Float32Array(buffer);
  }
}

class Launch {
  readonly command: SharedCommand & { readonly type: "launch" };
  /** For the rows that it last ran with, and the memory of then. */
  prepared: { readonly T: number; readonly phases: readonly Phase[] } | undefined;

  constructor(command: SharedCommand & { readonly type: "launch" }) {
    this.command = command;
  }
}

/** In place of an operation that a thread fails to prepare. Operations have one phase. */
const NOTHING: Phase = { items: 0, run: () => {} };

export class Executor {
  readonly #options: ExecutorOptions;
  /** Undefined for a single thread. */
  readonly #team: { readonly barrier: Barrier; readonly portions: Portions } | undefined;
  readonly #heaps: HeapViews[] = [];
  readonly #launches = new Map<number, Launch>();
  /** This thread at work in each heap. */
  readonly #threads: Thread[] = [];
  #stale = false;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    const { index, count, shared } = options;
    this.#team = shared && {
      barrier: new Barrier(shared, count),
      portions: new Portions(shared, BARRIER_BYTES, index, count),
    };
  }

  execute(command: Command): void {
    try {
      this.#execute(command);
    } catch (error) {
      const outOfMemory = command.type === "grow" || command.type === "heap";
      const said = String((error as Error).message);
      const message = outOfMemory ? `expected more memory, got "${said}".` : said;
      this.#options.answer({ type: "error", outOfMemory, message });
    }
  }

  #execute(command: Command): void {
    switch (command.type) {
      case "heap":
        this.#heaps.push(new HeapViews(command.memory ?? new WebAssembly.Memory(MEMORY)));
        // Not at the first launch: a thread that fails there alone would leave the others at the barrier.
        this.#addThread(this.#heaps.length - 1);
        break;
      case "grow":
        if (this.#options.index === 0) this.#heaps[command.heap]!.grow(command.bytes);
        this.#stale = true;
        break;
      case "launch":
        this.#launches.set(command.id, new Launch(command));
        break;
      case "free":
        for (const [id, { command: launch }] of this.#launches)
          if (launch.operands.some((each) => isSame(each, command.place))) this.#launches.delete(id);
        break;
      case "submit":
        // The first thread has written what came before, and grown the memory.
        this.#team?.barrier.wait();
        // A thread that fails alone takes part in all barriers.
        this.#attempt(() => this.#refresh());
        for (const step of command.steps) this.#step(step);
        break;
      case "clear":
        this.#bytes(command.place).fill(0);
        break;
      case "write":
        this.#bytes(command.place).set(new Uint8Array(command.data));
        break;
      case "read":
        this.#read(command.reply, command.place);
        break;
    }
  }

  #refresh(): void {
    if (!this.#stale) return;
    for (const heap of this.#heaps) heap.refresh();
    for (const launch of this.#launches.values()) launch.prepared = undefined;
    this.#stale = false;
  }

  #step(step: Step): void {
    if (step.type === "copy") {
      if (this.#options.index === 0) this.#attempt(() => this.#bytes(step.to).set(this.#bytes(step.from)));
      this.#team?.barrier.wait();
      return;
    }
    for (let i = 0; i < step.launches.length; i += 2) this.#run(step.launches[i]!, step.launches[i + 1]!);
  }

  #run(id: number, T: number): void {
    const team = this.#team;
    // Others may be at work on it.
    const phases = this.#attempt(() => this.#phases(this.#launches.get(id), T)) ?? [NOTHING];
    for (const { items, run, evenly } of phases) {
      const attempt = (first: number, end: number) => this.#attempt(() => run(first, end));
      if (team) team.portions.share(items, attempt, evenly);
      else if (items > 0) attempt(0, items);
      team?.barrier.wait();
    }
  }

  /** Reports an error, and goes on: the other threads wait at the barrier. */
  #attempt<T>(operation: () => T): T | undefined {
    try {
      return operation();
    } catch (error) {
      this.#options.answer({ type: "error", outOfMemory: false, message: String((error as Error).message) });
      return undefined;
    }
  }

  #phases(launch: Launch | undefined, T: number): readonly Phase[] {
    if (!launch) throw new Error("A launch: expected its buffers, but one was destroyed.");
    if (launch.prepared?.T !== T) {
      const { call, size, operands } = launch.command;
      const views = operands.map((place) => this.#operand(place));
      const rows = T < 0 ? size : { ...size, T };
      launch.prepared = { T, phases: operations[call.op]!(call, rows, views, this.#threads[0]!) };
    }
    return launch.prepared.phases;
  }

  #operand({ heap, offset, bytes }: Place): Operand {
    const { buffer } = this.#heaps[heap]!.memory;
    return {
      u8: new Uint8Array(buffer, offset, bytes),
      u32: new Uint32Array(buffer, offset, bytes / 4),
      f32: new Float32Array(buffer, offset, bytes / 4),
      address: offset,
      home: this.#threads[heap]!,
    };
  }

  #addThread(heap: number): void {
    const views = this.#heaps[heap]!;
    const { index, instantiate } = this.#options;
    this.#threads[heap] = {
      isNear: heap === 0,
      compiled: instantiate(views.memory),
      heap: views,
      scratch(bytes) {
        if (bytes <= SCRATCH_BYTES) return SCRATCH_START + index * SCRATCH_BYTES;
        throw new RangeError(`scratch: expected at most ${SCRATCH_BYTES} bytes, got ${bytes}.`);
      },
    };
  }

  #read(reply: number, place: Place | undefined): void {
    this.#refresh();
    const data = place && (this.#bytes(place).slice().buffer as ArrayBuffer);
    this.#options.answer({ type: "read", reply, data });
  }

  #bytes({ heap, offset, bytes }: Place): Uint8Array {
    this.#refresh();
    return this.#heaps[heap]!.u8.subarray(offset, offset + bytes);
  }
}
