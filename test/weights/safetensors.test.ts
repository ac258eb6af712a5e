// Headers, read and written; the npm package `safetensors` as an independent reader.
import fc from "fast-check";
import independent from "safetensors";
import { expect, test } from "vitest";
import {
  CheckpointError,
  type DType,
  formatsOf,
  openCheckpoint,
  packedMetadata,
  packedTensors,
  parseConfig,
  readHeader,
  readRows,
  requiredTensors,
  type TensorToWrite,
  writeHeader,
} from "../../weights/index.ts";
import { filesOf, join, memorySource, split } from "./memory-source.ts";

const FILE = "model.safetensors";
const read = (file: Uint8Array) => readHeader(memorySource({ [FILE]: file }), FILE);

/** Header and pseudo-random data. */
function write(tensors: readonly TensorToWrite[], metadata?: Record<string, string>) {
  const header = writeHeader(tensors, metadata);
  const file = Uint8Array.from({ length: header.fileBytes }, (_, i) => (i * 2654435761) >>> 24);
  file.set(header.bytes);
  return { header, file };
}

test("any tensors that are written are read back", async () => {
  const dtype = fc.constantFrom<DType>("F32", "F16", "BF16", "U32", "U8", "I64", "F8_E4M3");
  const shape = fc.array(fc.nat(5), { maxLength: 4 });
  const name = fc.string({ unit: "binary", maxLength: 12 }).filter((s) => s !== "__metadata__");
  const tensors = fc.uniqueArray(fc.record({ name, dtype, shape }), {
    selector: (t) => t.name,
    maxLength: 12,
  });
  const metadata = fc.option(fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }), {
    nil: undefined,
  });
  await fc.assert(
    fc.asyncProperty(tensors, metadata, async (list, strings) => {
      const { header, file } = write(list, strings);
      const got = await read(file);
      expect(header.bytes.length % 8).toBe(0);
      expect(got.metadata).toEqual(strings ?? {});
      const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
      const expected = header.tensors.map((tensor) => ({ ...tensor, file: FILE }));
      expect([...got.tensors].sort(byName)).toEqual(expected.sort(byName));
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("the writer refuses two tensors with one name, and sizes that are no whole bytes", () => {
  const tensor = { name: "a", dtype: "F32", shape: [2] } as const;
  expect(() => writeHeader([tensor, tensor])).toThrow(CheckpointError);
  expect(() => writeHeader([{ name: "a", dtype: "F4", shape: [3] }])).toThrow(CheckpointError);
});

test("empty tensors, scalars, and data in another order than the header", async () => {
  const entries = {
    scalar: { dtype: "F32", shape: [], data_offsets: [4, 8] },
    empty: { dtype: "F32", shape: [0, 7], data_offsets: [4, 4] },
    first: { dtype: "BF16", shape: [2], data_offsets: [0, 4] },
  };
  const { tensors } = await read(join(`${JSON.stringify(entries)}   `, new Uint8Array(8)));
  expect(tensors.map(({ name }) => name)).toEqual(["first", "empty", "scalar"]);
});

test.each(["x", "\\\\", '\\"'])("a string of 20 MB of %s in the header is read", async (unit) => {
  const header = `{"__metadata__":{"a":"${unit.repeat(2e7 / unit.length)}"}}`;
  const { metadata } = await read(join(header, new Uint8Array()));
  expect(metadata["a"]?.length).toBe(unit.length === 1 ? 2e7 : 1e7);
});

test("changing any byte of a header causes no crash", async () => {
  const whole = filesOf("test/golden/families/gqa_4x2")[FILE] ?? new Uint8Array();
  const headerBytes = whole.length - split(whole).data.length;
  for (let at = 0; at < headerBytes; at += 3) {
    for (const value of [0x00, 0x22, 0x39, 0x7d, 0xff]) {
      const file = whole.slice();
      file[at] = value;
      await read(file).catch((error: unknown) => expect(error).toBeInstanceOf(CheckpointError));
    }
  }
});

test.each(["one", "two"])(
  "the npm package reads the same bytes (shard %s of tiny-mistral)",
  async (which) => {
    const name = `model-0000${which === "one" ? 1 : 2}-of-00002.safetensors`;
    const file = filesOf("weights/tiny-mistral")[name];
    if (!file) throw new Error(`no ${name}`);
    const { header, data } = split(file);
    const blanked = join(
      header.replace(/"__metadata__":\{[^}]*\},/, (text) => " ".repeat(text.length)),
      data,
    );
    await agree(blanked, (await read(file)).tensors.length);
  },
);

test("the npm package reads what the writer writes", async () => {
  const tensors: TensorToWrite[] = [
    { name: "a", dtype: "F32", shape: [3, 5] },
    { name: "b", dtype: "BF16", shape: [7] },
    { name: "c", dtype: "F16", shape: [2, 2, 2] },
    { name: "d", dtype: "U32", shape: [4] },
  ];
  await agree(write(tensors).file, 4);
});

test("the npm package throws on __metadata__, so it cannot load models", () => {
  const { file } = write([{ name: "a", dtype: "F32", shape: [1] }], { format: "pt" });
  expect(() => new independent.SafeTensor(file)).toThrow();
});

// The package needs the whole file in an array that begins at byte 0 of its buffer.
async function agree(file: Uint8Array, count: number): Promise<void> {
  const theirs = new independent.SafeTensor(file.slice());
  const { tensors } = await read(file);
  expect(tensors.length).toBe(count);
  expect(theirs.metadata.size).toBe(count);
  for (const { name, dtype, shape, start, end } of tensors) {
    expect(theirs.metadata.get(name)).toEqual({ dtype, shape, data_offsets: [start, end] });
    const bytes = await memorySource({ [FILE]: file }).read(FILE, start, end);
    expect(Buffer.compare(theirs.getTensor(name), bytes)).toBe(0);
  }
}

test("a packed checkpoint of each format opens, with its scales and gains", async () => {
  const files = filesOf("test/golden/families/gqa_4x2");
  const config = await parseConfig(new TextDecoder().decode(files["config.json"]));
  for (const weights of ["f32", "f16", "bf16", "q8", "q4"] as const) {
    const { file } = write(packedTensors(config, formatsOf(weights, config), "BF16"), {
      ...packedMetadata(weights),
    });
    const checkpoint = await openCheckpoint(memorySource({ ...files, [FILE]: file }));
    expect(checkpoint.quantised).toMatchObject({ weights, convertible: false });
    const down = checkpoint.tensors.get("model.layers.1.mlp.down_proj.weight.packed");
    expect(down?.shape).toEqual([32, { f32: 64, f16: 32, bf16: 32, q8: 16, q4: 8 }[weights]]);
    const scale = checkpoint.tensors.get("model.layers.1.mlp.down_proj.weight.scale");
    expect(scale?.shape).toEqual(weights === "q8" || weights === "q4" ? [32, 1] : undefined);
    const parameters = requiredTensors(config).reduce(
      (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
      0,
    );
    expect(checkpoint.parameters).toBe(parameters);
    expect(checkpoint.bytes).toBe(
      [...checkpoint.tensors.values()].reduce((sum, t) => sum + t.end - t.start, 0),
    );
  }
});

test("rows are complete, in order, within the bound, and stop at an abort", async () => {
  const { file } = write([
    { name: "m", dtype: "F32", shape: [10, 6] },
    { name: "v", dtype: "F32", shape: [50] },
  ]);
  const source = memorySource({ [FILE]: file });
  const tensors = new Map(
    (await read(file)).tensors.map((tensor) => [tensor.name, { ...tensor, encoding: tensor.dtype }]),
  );
  const plan = async (name: string, maxBytes: number) => {
    const out: [number, number, number][] = [];
    for await (const { row, rows, bytes } of readRows({ source, tensors }, name, { maxBytes })) {
      out.push([row, rows, bytes.length]);
    }
    return out;
  };
  expect(await plan("m", 100)).toEqual([
    [0, 4, 96],
    [4, 4, 96],
    [8, 2, 48],
  ]);
  expect(await plan("m", 1)).toHaveLength(10);
  expect(await plan("m", 1e9)).toEqual([[0, 10, 240]]);
  expect(await plan("v", 8)).toEqual([[0, 1, 200]]);
  await expect(plan("x", 8)).rejects.toThrow(/^x: expected a tensor of memory/);
  const controller = new AbortController();
  const rows = readRows({ source, tensors }, "m", { maxBytes: 24, signal: controller.signal });
  await rows.next();
  controller.abort();
  await expect(rows.next()).rejects.toThrow(/abort/i);
});

test("of superScales the first word of four is a pair of f16, the others are any bits", async () => {
  const words = new Uint32Array([0x7bff_7bff, ~0, ~0, ~0, 0, ~0, ~0, ~0]);
  const tensor = { name: "m", encoding: "superScales", shape: [2, 4], file: FILE, start: 0, end: 32 };
  const source = { name: "memory", read: async () => new Uint8Array(words.buffer.slice(0)) };
  const first = () => readRows({ source, tensors: new Map() }, tensor, { maxBytes: 1e6 }).next();
  expect((await first()).value!.bytes.length).toBe(32);
  words[4] = 0x7c00_0000;
  await expect(first()).rejects.toThrow("m: expected finite numbers, got infinity or NaN in row 1.");
});

test.each([
  ["F32", [0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001], [0, 0x7f7fffff, 0xff7fffff, 0x007fffff]],
  ["BF16", [0x7f80, 0xff80, 0x7fc0, 0x7f81], [0, 0x7f7f, 0xff7f, 0x007f, 0x7f01]],
  ["F16", [0x7c00, 0xfc00, 0x7e00, 0x7c01], [0, 0x7bff, 0xfbff, 0x03ff, 0x7801]],
  ["scales", [0x7c00, 0xfc00], [0, 0x7bff]],
] as const)("%s that is not finite is refused, wherever it is", async (encoding, wrong, right) => {
  const bytes = encoding === "F32" ? 4 : 2;
  const shape = [3, 5];
  const numbers = new DataView(new ArrayBuffer(15 * bytes));
  const set = (i: number, value: number) =>
    bytes === 4 ? numbers.setUint32(4 * i, value, true) : numbers.setUint16(2 * i, value, true);
  const tensor = { name: "m", encoding, shape, file: FILE, start: 0, end: 15 * bytes };
  const source = { name: "memory", read: async () => new Uint8Array(numbers.buffer.slice(0)) };
  const all = async () => {
    for await (const _ of readRows({ source, tensors: new Map() }, tensor, { maxBytes: 1e6 }));
  };
  for (let i = 0; i < 15; i++) {
    for (const value of right) {
      set(i, value);
      await all();
    }
    for (const value of wrong) {
      set(i, value);
      await expect(all()).rejects.toThrow(
        /^model\.safetensors: m: expected finite numbers, got .+ in row \d\. The/,
      );
    }
    set(i, right[0]);
  }
});
