// Packed weights on disk: a crash at any operation and damage at any byte are noticed.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  decodeRecords,
  describeJournal,
  formatsOf,
  PackedFile,
  packedBytes,
  packedTensors,
  parseConfig,
} from "../../weights/index.ts";
import { Crash, Fuse, MemoryFile } from "./memory-file.ts";

const config = await parseConfig(
  JSON.parse(readFileSync("test/golden/families/one_layer/config.json", "utf8")),
  "config.json",
);
const formatOf = formatsOf("q4", config);
const contents = { config, weights: "q4", formatOf } as const;
const names = packedTensors(config, formatOf).map(({ name }) => name);
const total = packedBytes(contents);
/** Every tensor has bytes of its own. */
const content = (name: string, row: number, length: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(length).fill(names.indexOf(name) + 1 + row);

const open = (file: MemoryFile, journal: MemoryFile, identity = "a") =>
  PackedFile.open(file, journal, { ...contents, identity });

async function store(packed: PackedFile, name: string): Promise<void> {
  await packed.write(name, async ({ row, rows, rowBytes }) => content(name, row, rows * rowBytes));
}

/** Stores the missing tensors; returns their names. */
async function fill(file: MemoryFile, journal: MemoryFile): Promise<string[]> {
  const packed = await open(file, journal);
  const missing = names.filter((name) => !packed.has(name));
  for (const name of missing) await store(packed, name);
  await packed.commit();
  return missing;
}

/** Reads all stored tensors and compares them with what was written; returns the names of damaged ones. */
async function check(packed: PackedFile): Promise<string[]> {
  const wrong: string[] = [];
  for (const name of names.filter((name) => packed.has(name))) {
    const right = await packed.read(name, async (bytes, { row }) => {
      expect(Buffer.compare(bytes, content(name, row, bytes.length)), name).toBe(0);
    });
    if (!right) wrong.push(name);
  }
  return wrong;
}

test.each([
  ["in part", false],
  ["not at all", true],
])("a crash at any operation, with its write %s, costs one tensor", async (_, loses) => {
  let crashes = 0;
  for (let operations = 0; ; operations++) {
    const fuse = new Fuse(operations);
    const [file, journal] = [new MemoryFile(fuse), new MemoryFile(fuse)];
    const crash = await fill(file, journal).catch((error: unknown) => error);
    if (!(crash instanceof Crash)) break;
    crashes++;
    fuse.left = Infinity;
    if (loses) file.lose();
    const packed = await open(file, journal);
    const there = names.filter((name) => packed.has(name)).length;
    if (packed.committed) expect(there).toBe(names.length);
    expect(await check(packed)).toEqual([]);
    // For each tensor, and once at the start: a write and a flush of the file, then of the journal.
    expect(there).toBeGreaterThanOrEqual(Math.floor(operations / 4) - 3);
    expect(await fill(file, journal)).toEqual(names.slice(there));
    expect((await open(file, journal)).committed).toBe(true);
    operations += 2; // Every third: each kind of operation at some tensor.
  }
  expect(3 * crashes).toBeGreaterThan(4 * names.length);
});

test("a journal cut at, before or after the end of each record keeps the complete records", async () => {
  const [file, journal] = [new MemoryFile(), new MemoryFile()];
  await fill(file, journal);
  const whole = journal.bytes;
  const ends = [...whole.keys()].filter((at) => whole[at] === 10);
  for (const length of ends.flatMap((end) => [end, end + 1, end + 2])) {
    if (length >= whole.length) continue;
    journal.bytes = whole.slice(0, length);
    const said = decodeRecords(journal.bytes).records;
    const packed = await open(file, journal);
    expect(packed.committed).toBe(false);
    expect(names.filter((name) => packed.has(name))).toHaveLength(Math.max(0, said.length - 1));
    expect(await check(packed)).toEqual([]);
  }
});

test("a wrong byte costs its tensor until it is stored again", async () => {
  const [file, journal] = [new MemoryFile(), new MemoryFile()];
  await fill(file, journal);
  file.bytes[total - 1]! ^= 1;
  const packed = await open(file, journal);
  expect(packed.committed).toBe(true);
  expect(await check(packed)).toEqual([names.at(-1)]);
  expect(packed.committed).toBe(false);

  const again = await open(file, journal);
  expect([again.committed, again.has(names.at(-1)!)]).toEqual([false, false]);
  expect(describeJournal(decodeRecords(journal.bytes).records)).toMatchObject({ complete: false });
  expect(await fill(file, journal)).toEqual([names.at(-1)]);
  expect((await open(file, journal)).committed).toBe(true);
});

test("a wrong byte in the journal costs the records after it", async () => {
  const [file, journal] = [new MemoryFile(), new MemoryFile()];
  await fill(file, journal);
  journal.bytes[journal.bytes.length >> 1]! ^= 1;
  const packed = await open(file, journal);
  expect(packed.committed).toBe(false);
  const there = names.filter((name) => packed.has(name)).length;
  expect(await fill(file, journal)).toEqual(names.slice(there));
});

test("a file of another checkpoint is started over", async () => {
  const [file, journal] = [new MemoryFile(), new MemoryFile()];
  await fill(file, journal);
  const other = await open(file, journal, "b");
  expect(names.some((name) => other.has(name))).toBe(false);
  expect(other.missingBytes).toBeGreaterThan(0.8 * total);
});

test("a truncated file is extended again, and the lost tensors are noticed", async () => {
  const [file, journal] = [new MemoryFile(), new MemoryFile()];
  await fill(file, journal);
  file.bytes = file.bytes.slice(0, total - 1);
  expect(await check(await open(file, journal))).toEqual([names.at(-1)]);
});

test("the journal says how much is stored", async () => {
  const [file, journal] = [new MemoryFile(), new MemoryFile()];
  const packed = await open(file, journal);
  const before = packed.missingBytes;
  await store(packed, names[0]!);
  const said = describeJournal(decodeRecords(journal.bytes).records);
  expect(said).toEqual({ complete: false, bytes: before - packed.missingBytes, totalBytes: total });
  await fill(file, journal);
  expect(describeJournal(decodeRecords(journal.bytes).records)).toEqual({
    complete: true,
    bytes: total,
    totalBytes: total,
  });
});

test("a state survives damage to its tensor, and is dropped if the tensor was wrong from the start", async () => {
  const [file, journal] = [new MemoryFile(), new MemoryFile()];
  const packed = await open(file, journal);
  const [first, second] = names as [string, string];
  for (const name of [first, second]) {
    const state = Promise.resolve([names.indexOf(name)]);
    await packed.write(name, async ({ row, rows, rowBytes }) => content(name, row, rows * rowBytes), state);
  }
  file.bytes.fill(0);
  expect(await check(packed)).toEqual([first, second]);
  const again = await open(file, journal);
  expect([again.state(first), again.has(first)]).toEqual([[0], false]);
  again.invalidate(first);
  for (const one of [again, await open(file, journal)])
    expect([one.state(first), one.state(second), one.has(first)]).toEqual([undefined, [1], false]);
  await fill(file, journal);
  const whole = await open(file, journal);
  whole.invalidate(second);
  expect([whole.committed, (await open(file, journal)).committed]).toEqual([false, false]);
  expect(describeJournal(decodeRecords(journal.bytes).records)).toMatchObject({ complete: false });
});
