// A cached source opens its checkpoint again without the origin.
import { expect, test } from "vitest";
import {
  CachedSource,
  cachedName,
  openCheckpoint,
  type Source,
  SourceChangedError,
} from "../../weights/index.ts";
import { filesOf, memorySource } from "./memory-source.ts";

const files = filesOf("test/golden/families/two_shards");
const cut: Source = {
  name: "memory",
  size: async (file) => Promise.reject(new Error(`${file}: no network`)),
  read: async (file) => Promise.reject(new Error(`${file}: no network`)),
};

/** The source as it is after a load, and every read of its origin. */
async function cached(version = "1", before = new Uint8Array()) {
  const reads: string[] = [];
  const memory = memorySource(files);
  const origin: Source = {
    ...memory,
    read: (file, start, end) => {
      reads.push(file);
      return memory.read(file, start, end);
    },
    version: async () => version,
  };
  const source = await CachedSource.open(origin, before);
  return { source, reads };
}

async function stored() {
  const { source } = await cached();
  const checkpoint = await openCheckpoint(source);
  source.freeze();
  return { bytes: await source.encode(), checkpoint, identity: await source.identity() };
}

test("a checkpoint opens without the network, with the same tensors", async () => {
  const { bytes, checkpoint, identity } = await stored();
  const offline = await CachedSource.open(cut, bytes);
  const again = await openCheckpoint(offline);
  expect([...again.tensors]).toEqual([...checkpoint.tensors]);
  expect(again.config).toEqual(checkpoint.config);
  expect(await offline.identity()).toBe(identity);
  expect(offline.dirty).toBe(false);
  expect(cachedName(bytes)).toBe("memory");
});

test("tensors that are read to open a checkpoint are cached, and forgotten with their file", async () => {
  const origin = memorySource(filesOf("test/golden/quantised/gptq_4bit_desc_act_g32"));
  const source = await CachedSource.open(origin, new Uint8Array());
  const { quantised, tensors } = await openCheckpoint(source);
  const q = "model.layers.0.self_attn.q_proj.weight";
  source.freeze();
  const offline = await CachedSource.open(cut, await source.encode());
  const again = await openCheckpoint(offline);
  expect([...again.tensors.keys()]).toEqual([...tensors.keys()]);
  expect(again.quantised!.columnsOf!(q)).toHaveLength(64);
  expect(again.quantised!.columnsOf!(q)).toEqual(quantised!.columnsOf!(q));
  expect(await offline.identity()).toBe(await source.identity());
  const before = (await source.encode()).length;
  source.invalidate("model.safetensors");
  expect(before - (await source.encode()).length).toBeGreaterThan(2 * 7 * 4 * 64);
});

test("tensors are not cached: they are read from the origin", async () => {
  const { bytes, checkpoint } = await stored();
  expect(bytes.length).toBeLessThan(0.5 * checkpoint.bytes);
  const { source, reads } = await cached("1", bytes);
  const [tensor] = checkpoint.tensors.values();
  const { file, start, end } = tensor!;
  expect(await source.read(file, start, end)).toEqual(files[file]!.slice(start, end));
  expect(reads).toEqual([file]);
});

test("any wrong byte is noticed, and only its file is read again", async () => {
  const { bytes, identity } = await stored();
  for (let at = 0; at < bytes.length; at += 101) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1;
    const { source, reads } = await cached("1", damaged);
    await openCheckpoint(source);
    expect(source.dirty).toBe(true);
    expect(await source.identity()).toBe(identity);
    if (at > bytes.indexOf(10)) expect(new Set(reads).size).toBe(1);
  }
});

test("a file that the server does not have at the moment does not count as changed", async () => {
  const { bytes, checkpoint } = await stored();
  const origin = { ...memorySource({}), version: async () => undefined };
  const source = await CachedSource.open(origin, bytes);
  const [tensor] = checkpoint.tensors.values();
  const error = await source
    .read(tensor!.file, tensor!.start, tensor!.end)
    .catch((reason: unknown) => reason);
  expect(error).not.toBeInstanceOf(SourceChangedError);
  expect(String(error)).toMatch(/got no such file/);
});

test("a changed file is refused before any of its bytes are used", async () => {
  const { bytes, checkpoint } = await stored();
  const { source, reads } = await cached("2", bytes);
  const [{ file, start, end }] = checkpoint.tensors.values() as unknown as [
    { file: string; start: number; end: number },
  ];
  await expect(source.read(file, start, end)).rejects.toThrow(SourceChangedError);
  expect(reads).toEqual([]);
});

test("what is cached is never read again, at the beginning or in the middle of a file", async () => {
  const name = "model-00001-of-00002.safetensors";
  const file = files[name]!;
  const fetched: [start: number | undefined, end: number | undefined][] = [];
  const memory = memorySource(files);
  const origin: Source = {
    ...memory,
    read: (file, start, end) => {
      fetched.push([start, end]);
      return memory.read(file, start, end);
    },
  };
  const first = await CachedSource.open(origin, new Uint8Array());
  for (const [start, end] of [
    [0, 10],
    [50, 60],
    [55, 70],
  ] as const)
    expect(await first.read(name, start, end)).toEqual(file.slice(start, end));
  first.freeze();
  expect(await first.read(name, 65, 90)).toEqual(file.slice(65, 90));
  expect(fetched.splice(0)).toEqual([
    [0, 10],
    [50, 60],
    [60, 70],
    [70, 90],
  ]);

  const offline = await CachedSource.open(cut, await first.encode());
  expect(await offline.identity()).toBe(await first.identity());
  for (const [start, end] of [
    [2, 10],
    [50, 70],
    [69, 69],
  ] as const)
    expect(await offline.read(name, start, end)).toEqual(file.slice(start, end));
  await expect(offline.read(name, 65, 71)).rejects.toThrow(/no network/);
});
