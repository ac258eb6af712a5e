// Runs a kernel's operation as the threads of the CPU device do, but one thread after the other.
import { expect } from "vitest";
import { allowRelaxedSimd } from "../../../engine/cpu/node-simd.ts";
import { type Compiled, instantiate } from "../../../kernels/cpu/compiled.ts";
import { operations } from "../../../kernels/cpu/index.ts";
import { compileModules } from "../../../kernels/cpu/modules.ts";
import { PAST_END, type Thread } from "../../../kernels/cpu/operation.ts";
import type { Buffer as Contents, Kernel } from "../../../kernels/index.ts";

allowRelaxedSimd();
const modules = await compileModules(false);
const modulesWithoutRelaxed = await compileModules(false, false);

const SCRATCH_BYTES = 2 ** 22;
const PAGE = 2 ** 16;
/** All operations share them: a new memory takes longer than an operation. */
const shared = new Map<string, { readonly memory: WebAssembly.Memory; readonly compiled: Compiled }>();

function heapOf(at: number, relaxed: boolean) {
  const key = `${at} ${relaxed}`;
  const known = shared.get(key);
  if (known) return known;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const heap = { memory, compiled: instantiate(relaxed ? modules : modulesWithoutRelaxed, memory) };
  shared.set(key, heap);
  return heap;
}

const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/**
 * @param host the contents of the buffers, which stay
 * @param threads how many share out the items of each phase
 * @param far names of bindings whose buffers are in another heap
 * @param relaxed false: without relaxed SIMD
 * @returns the bytes of each buffer after it: for `sameBytes`
 */
export function runOperation(
  kernel: Kernel,
  size: object,
  host: readonly Contents[],
  threads: number,
  far: readonly string[] = [],
  relaxed = true,
): ArrayBuffer[] {
  const call = kernel.cpu!;
  const bindings = kernel.bindings(size);
  const bytes = host.reduce((sum, { byteLength }) => sum + aligned(byteLength), threads * SCRATCH_BYTES);
  const heaps = Array.from({ length: far.length > 0 ? 2 : 1 }, (_, at) => {
    const { memory, compiled } = heapOf(at, relaxed);
    const missing = bytes + 64 + PAST_END - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    const heap = {
      u8: new Uint8Array(memory.buffer),
      u32: new Uint32Array(memory.buffer),
      f32: new Float32Array(memory.buffer),
    };
    // What other operations left.
    for (let i = 0; i < threads; i++)
      heap.u8.fill(0x5f, 64 + i * SCRATCH_BYTES, 64 + i * SCRATCH_BYTES + 2 ** 20);
    return { heap, compiled };
  });
  let next = 64 + threads * SCRATCH_BYTES;
  const places = host.map((buffer, i) => {
    const address = next;
    const { byteLength } = buffer;
    next += aligned(byteLength);
    const at = far.includes(bindings[i]!.name) ? 1 : 0;
    // What is at this address in other heaps is no copy of it, as an operation before may have left.
    for (const { heap } of heaps) heap.u8.fill(0x5f, address, next);
    const all = heaps[at]!.heap.u8.buffer;
    const u8 = new Uint8Array(all, address, byteLength);
    u8.set(new Uint8Array(buffer.buffer, buffer.byteOffset, byteLength));
    const u32 = new Uint32Array(all, address, byteLength / 4);
    return { at, address, u8, u32, f32: new Float32Array(all, address, byteLength / 4) };
  });
  const prepared = Array.from({ length: threads }, (_, i) => {
    const scratch = () => 64 + i * SCRATCH_BYTES;
    const homes: Thread[] = heaps.map((heap, at) => ({ ...heap, isNear: at === 0, scratch }));
    const operands = places.map(({ at, ...views }) => ({ ...views, home: homes[at]! }));
    return operations[call.op]!(call, size, operands, homes[0]!);
  });
  for (let phase = 0; phase < prepared[0]!.length; phase++) {
    for (const [i, phases] of prepared.entries()) {
      const { items, run } = phases[phase]!;
      const [first, end] = [i, i + 1].map((part) => Math.floor((items * part) / threads));
      if (first! < end!) run(first!, end!);
    }
  }
  return places.map(({ u8 }) => u8.slice().buffer);
}

/** Expects the same bytes in each buffer. Vitest's own comparison takes longer than the operations. */
export function sameBytes(results: readonly ArrayBuffer[], expected: readonly ArrayBuffer[]): void {
  expect(results.length).toBe(expected.length);
  for (const [i, bytes] of results.entries())
    if (Buffer.compare(new Uint8Array(bytes), new Uint8Array(expected[i]!)) !== 0)
      expect(bytes, `buffer ${i}`).toStrictEqual(expected[i]);
}
