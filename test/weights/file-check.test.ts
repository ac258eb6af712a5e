// A file check notices every wrong byte, needed or not, however often the load was cut off.
import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import {
  FileCheck,
  type FileState,
  openCheckpoint,
  readRows,
  type Source,
  type TensorInfo,
} from "../../weights/index.ts";
import type { FileHash, OpenFileHash } from "../../weights/integrity/file-hash.ts";
import { openLocalHash } from "../../weights/integrity/local-hash.ts";
import { filesOf, memorySource } from "./memory-source.ts";

const FILE = "model-00001-of-00002.safetensors";
const files = filesOf("test/golden/families/two_shards");
const original = files[FILE]!;
const sha256 = createHash("sha256").update(original).digest("hex");
const { tensors } = await openCheckpoint(memorySource(files));
/** Not the first, not the last, and every other tensor between. */
const needed = [...tensors.values()].filter(({ file }) => file === FILE).filter((_, i) => i % 2 === 1);
needed.pop();

/** The file with one wrong byte, and the reads of it. */
function served(wrong?: number) {
  const bytes = original.slice();
  if (wrong !== undefined) bytes[wrong]! ^= 1;
  const memory = memorySource({ ...files, [FILE]: bytes });
  const reads: [number, number][] = [];
  const source: Source = {
    ...memory,
    read: (file, start = 0, end = bytes.length) => {
      reads.push([start, end]);
      return memory.read(file, start, end);
    },
    sha256: async () => sha256,
  };
  return { source, reads };
}

async function read(check: FileCheck, some: readonly TensorInfo[], before?: FileState) {
  const states: (FileState | undefined)[] = [];
  for (const tensor of some) {
    for await (const _ of readRows({ source: check, tensors }, tensor, { maxBytes: 700 }));
    states.push(await check.stateAfter(tensor, before));
  }
  return states;
}

test("the right file passes, and every byte is read once", async () => {
  const { source, reads } = served();
  const check = new FileCheck(source, FILE);
  await read(check, needed);
  await check.finish();
  const sorted = reads.toSorted(([a], [b]) => a - b);
  expect(sorted[0]![0]).toBe(0);
  expect(sorted.at(-1)![1]).toBe(original.length);
  for (const [i, [, end]] of sorted.slice(0, -1).entries()) expect(sorted[i + 1]![0]).toBe(end);
});

test("a wrong byte anywhere is refused", async () => {
  for (let at = 0; at < original.length; at += 997) {
    const check = new FileCheck(served(at).source, FILE);
    await read(check, needed);
    await expect(check.finish(), `byte ${at}`).rejects.toThrow(
      new RegExp(`memory: ${FILE}: expected SHA-256 ${sha256}, got \\w{64}\\. .*load again`),
    );
  }
});

test.each(needed.map(({ name }, i) => [name, i]))("cut off after %s", async (_, i) => {
  const { end } = needed[i]!;
  const resume = async (first: number | undefined, second: number | undefined) => {
    const states = await read(new FileCheck(served(first).source, FILE), needed.slice(0, i + 1));
    const { source, reads } = served(second);
    const check = new FileCheck(source, FILE);
    for (const [j, state] of states.entries()) check.skip(needed[j]!, state);
    await read(check, needed.slice(i + 1));
    await check.finish();
    return reads;
  };
  const reads = await resume(undefined, undefined);
  expect(Math.min(...reads.map(([start]) => start))).toBe(end);
  await expect(resume(end - 1, undefined)).rejects.toThrow(/got \w{64}/);
  await expect(resume(undefined, end)).rejects.toThrow(/got \w{64}/);
  // Bytes that were read before are not read again.
  await resume(undefined, end - 1);
});

test("a tensor that is fetched again must be the same as at first", async () => {
  const [first, second, ...rest] = needed as [TensorInfo, TensorInfo, ...TensorInfo[]];
  const states = await read(new FileCheck(served().source, FILE), needed);
  const again = async (wrong?: number) => {
    const check = new FileCheck(served(wrong).source, FILE);
    check.skip(first, states[0]);
    await read(check, [second], states[1]);
    for (const [i, tensor] of rest.entries()) check.skip(tensor, states[2 + i]);
    await check.finish();
  };
  await again();
  await expect(again(second.start)).rejects.toThrow(/as it was first downloaded, got other bytes/);
});

test("without a stated digest, now or when a tensor was stored, only the needed bytes are read", async () => {
  const bare = served(0);
  const check = new FileCheck({ ...bare.source, sha256: async () => undefined }, FILE);
  expect(await read(check, needed)).toEqual(needed.map(() => undefined));
  await check.finish();
  const [first, ...rest] = needed as [TensorInfo, ...TensorInfo[]];
  const late = served(0);
  const second = new FileCheck(late.source, FILE);
  second.skip(first, undefined);
  expect(await read(second, rest)).toEqual(rest.map(() => undefined));
  await second.finish();
  const wanted = (some: readonly TensorInfo[]) => some.reduce((sum, { start, end }) => sum + end - start, 0);
  const got = (reads: readonly [number, number][]) =>
    reads.reduce((sum, [start, end]) => sum + end - start, 0);
  expect(got(bare.reads)).toBe(wanted(needed));
  expect(got(late.reads)).toBe(wanted(rest));
});

test("a tensor's state comes, though the hash is slow and the next tensor is stored", async () => {
  const [first, second] = needed as [TensorInfo, TensorInfo];
  const states = await read(new FileCheck(served().source, FILE), needed);
  let closed = false;
  /** Answers late, and not at all once it is closed. */
  const slow: OpenFileHash = async (...from) => {
    const hash = await openLocalHash(...from);
    const state = async () => {
      await setTimeout(20);
      if (closed) throw new Error("closed");
      return hash.state();
    };
    return Object.assign(Object.create(hash) as FileHash, {
      state,
      close: () => {
        closed = true;
      },
    });
  };
  const check = new FileCheck(served().source, FILE, slow);
  for await (const _ of readRows({ source: check, tensors }, first, { maxBytes: 700 }));
  const state = check.stateAfter(first, undefined);
  check.skip(second, states[1]);
  expect(await state).toEqual(states[0]);
  await setTimeout(0);
  expect(closed).toBe(true);
});
