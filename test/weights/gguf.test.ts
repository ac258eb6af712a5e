// GGUF: the values of every type of block, and broken files.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { weightFormats } from "../../kernels/index.ts";
import { blockTypes, decodeBlocks } from "../../weights/gguf/blocks.ts";
import { choose } from "../../weights/gguf/choice.ts";
import { encodingOf } from "../../weights/gguf/encodings.ts";
import { readHeader } from "../../weights/gguf/header.ts";
import { typeOf } from "../../weights/gguf/types.ts";
import { CheckpointError, httpSource, openCheckpoint } from "../../weights/index.ts";
import { folderSource } from "../../weights/node.ts";
import { brokenGgufs, key as setKey } from "./broken-gguf.ts";
import { f32, smallGguf, text, u32, writeGguf } from "./gguf-file.ts";
import { MISTRAL_7B_BYTES, mistral7bHeader } from "./gguf-of.ts";
import { sendFile, serve } from "./loopback.ts";
import { memorySource } from "./memory-source.ts";

const goldens = import.meta.glob<Record<string, [row: number, column: number, value: number][]>>(
  "../golden/formats/gguf_*/golden.json",
  { import: "dequant_samples", eager: true },
);

test("every value that the fixtures sample is decoded to the bit, in all types", async () => {
  const seen = new Set<string>();
  for (const [path, tensors] of Object.entries(goldens)) {
    const folder = new URL(`${path}/..`, import.meta.url).pathname;
    const source = folderSource(folder);
    for (const file of (await source.list!()).filter((name) => name.endsWith(".gguf"))) {
      for (const { name, type, shape, start, end } of (await readHeader(source, file)).tensors) {
        const samples = tensors[name];
        if (!samples || !type || !blockTypes.includes(type.name)) continue;
        seen.add(type.name);
        const values = decodeBlocks(
          type,
          new Uint8Array(readFileSync(`${folder}/${file}`)).subarray(start, end),
        );
        for (const [row, column, value] of samples)
          expect(values[row * shape[1]! + column]! + 0, `${path}: ${name} [${row}, ${column}]`).toBe(
            Math.fround(value) + 0,
          );
      }
    }
  }
  expect([...seen].sort()).toEqual([...blockTypes].sort());
});

test("codes that are re-packed stand for the values that are decoded, to the bit", () => {
  const K = 768;
  for (const [id, format] of [
    [2, "q4"],
    [3, "q4a"],
    [8, "q8"],
    [12, "q4k"],
  ] as const) {
    const type = typeOf(id)!;
    const bytes = Uint8Array.from(
      { length: ((2 * K) / type.block) * type.bytes },
      (_, i) => (i * 2654435761) >>> 24,
    );
    // Scales of moderate size.
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += type.bytes) {
      view.setUint16(at, 0x2c00 + (at % 1000), true);
      if (id === 3 || id === 12) view.setUint16(at + 2, 0x3000 + (at % 700), true);
    }
    const { decode, repack } = encodingOf(type)!;
    const values = new Float32Array(decode(bytes, 2, K).buffer);
    const buffers = repack![format]!(bytes, 2, K).map((buffer) => new Uint32Array(buffer.buffer));
    values.forEach((value, i) => {
      expect(Math.fround(weightFormats[format].at(buffers, i, K)), type.name).toBe(value);
    });
  }
});

test.each([
  ...([
    [2, 0],
    [3, 0],
    [3, 2],
    [6, 0],
    [7, 0],
    [7, 2],
    [8, 0],
  ] as const),
  ...([
    [12, 0],
    [12, 2],
    [13, 0],
    [13, 2],
    [14, 208],
  ] as const),
])(
  "type %i: a scale at byte %i of a block that is infinite, NaN or too large is refused by row",
  async (id, offset) => {
    const { block, bytes: size } = typeOf(id)!;
    const finite = "finite scales, got infinity or NaN";
    for (const [bits, row, expected] of [
      [0x7c00, 0, finite],
      [0xfe00, 37, finite],
      // 1039 and -1040: times 63 below and above 65504, the largest f16.
      [0x640f, 5, undefined],
      [0xe410, 5, id < 10 ? undefined : "scales below 1040, got a larger one"],
    ] as const) {
      const file = smallGguf();
      setKey("llama.embedding_length", u32(256))(file);
      setKey("llama.attention.key_length", u32(16))(file);
      setKey("llama.attention.value_length", u32(16))(file);
      for (const each of file.tensors) {
        each.dims = each.dims.map((n) => (n === 32 && !/attn_[qkv]/.test(each.name) ? 256 : n));
        if (/attn_[qkv]/.test(each.name)) each.dims[0] = 256;
        if (each.name === "blk.0.attn_output.weight") each.dims = [32, 256];
        const weights = each.dims.reduce<number>((product, n) => product * Number(n), 1);
        each.bytes = new Uint8Array(each.type === 0 ? 4 * weights : (weights / 32) * 34);
      }
      const up = file.tensors.find(({ name }) => name === "blk.0.ffn_up.weight")!;
      up.type = id;
      up.bytes = new Uint8Array(((64 * 256) / block) * size);
      const at = (row * 256 * size) / block + offset;
      new DataView(up.bytes.buffer).setUint16(at, bits, true);
      const checkpoint = await openCheckpoint(memorySource({ "model.gguf": writeGguf(file) }));
      const name = "model.layers.0.mlp.up_proj.weight";
      const rows = checkpoint.readRows(checkpoint.tensors.get(name)!, { maxBytes: 8192 });
      const read = async () => {
        for await (const _ of rows);
      };
      const refused = expect(read());
      if (expected) await refused.rejects.toThrow(`model.gguf: ${name}: expected ${expected} in row ${row}.`);
      else await refused.resolves.toBeUndefined();
    }
  },
);

test("the file opens before it is broken", async () => {
  const { config, parameters } = await openCheckpoint(memorySource({ "model.gguf": writeGguf(smallGguf()) }));
  expect(config).toMatchObject({ D: 32, F: 64, H: 2, G: 1, d: 16, V: 40, eps: 1e-5, eosTokenIds: [2] });
  expect(parameters).toBe(2 * 40 * 32 + 3 * 32 + 32 * (32 + 16 + 16 + 32) + 3 * 64 * 32);
});

test("a token that begins with U+FEFF keeps it", async () => {
  const file = smallGguf();
  setKey("tokenizer.ggml.bos_token", text("\ufeff\ufeff#"))(file);
  const { metadata } = await readHeader(memorySource({ "model.gguf": writeGguf(file) }), "model.gguf");
  expect(metadata.get("tokenizer.ggml.bos_token")).toBe("\ufeff\ufeff#");
});

test("a factor of RoPE without a type is linear", async () => {
  const file = smallGguf();
  setKey("llama.rope.scaling.factor", f32(4))(file);
  const { config } = await openCheckpoint(memorySource({ "model.gguf": writeGguf(file) }));
  expect(config.ropeScaling).toEqual({ type: "linear", factor: 4 });
});

test("by an address, with ranges of the header only", async () => {
  const file = smallGguf();
  file.pairs.push(["general.description", text("x".repeat(300_000))]);
  const header = writeGguf(file).length;
  file.tensors.push({ name: "extra", dims: [2 ** 20], type: 0, bytes: new Uint8Array(2 ** 22) });
  const whole = writeGguf(file);
  const server = await serve((request, response) => {
    if (request.url === "/models/tiny%20model.gguf?key=secret") return sendFile(request, response, whole);
    response.writeHead(404).end();
    return undefined;
  });
  const ranges: number[] = [];
  const counted: typeof fetch = (input, init) => {
    const [, end] = /-(\d+)$/.exec(new Headers(init?.headers).get("range") ?? "") ?? [];
    ranges.push(Number(end));
    return fetch(input, init);
  };
  const source = httpSource(`${server.url}/models/tiny%20model.gguf?key=secret`, { fetch: counted });
  expect(source).toMatchObject({ name: `${server.url}/models/tiny%20model.gguf`, file: "tiny model.gguf" });
  expect((await openCheckpoint(source)).config.V).toBe(40);
  expect(ranges.length).toBeLessThanOrEqual(4);
  expect(Math.max(...ranges)).toBeLessThan(2 * header);
  await server.close();
});

test.each<[names: string[], chosen: string | RegExp]>([
  [["m.Q8_0.gguf", "m.Q4_0.gguf", "m.Q4_K_M.gguf", "m.Q2_K.gguf"], "m.Q4_K_M.gguf"],
  [["m-q8_0.gguf", "m-q4_0.gguf", "m-f16.gguf"], "m-q4_0.gguf"],
  [["m_Q4_0_4_4.gguf", "m_Q4_0.gguf", "m_Q4_K_M.gguf", "m_Q4_K_Mixed.gguf"], "m_Q4_K_M.gguf"],
  [["m_Q4_0_4_4.gguf", "m_Q4_0.gguf"], "m_Q4_0.gguf"],
  [["m.Q2_K.gguf", "m.Q6_K.gguf", "m.Q5_K_S.gguf"], "m.Q5_K_S.gguf"],
  [
    ["m.IQ2_XS.gguf", "m.Q3_K_L.gguf"],
    /memory: expected a GGUF file of 4 bits or more, got m\.IQ2_XS\.gguf \(/,
  ],
  [
    ["mmproj-m-f16.gguf", "m.Q8_0-00001-of-00002.gguf", "m.Q8_0-00002-of-00002.gguf"],
    "m.Q8_0-00001-of-00002.gguf",
  ],
  [["m.Q2_K.gguf"], "m.Q2_K.gguf"],
])("of %j one is chosen by name and size", async (names, chosen) => {
  const files = Object.fromEntries(names.map((name) => [name, new Uint8Array(Number(/\d/.exec(name)))]));
  const found = choose(memorySource(files));
  if (typeof chosen === "string") expect(await found).toBe(chosen);
  else await expect(found).rejects.toThrow(chosen);
});

/** Without data. */
const mistral7B = (ropeTheta: number) => ({
  ...memorySource({ "m.gguf": mistral7bHeader(ropeTheta) }),
  size: async (name: string) => (name === "m.gguf" ? MISTRAL_7B_BYTES : undefined),
});

test("Mistral 7B opens by its header alone; v0.1 has lost its window, later versions had none", async () => {
  const first = await openCheckpoint(mistral7B(1e4));
  expect(first.parameters).toBe(7_241_732_096);
  expect(first.warnings).toEqual([
    expect.stringMatching(/^memory: GGUF does not keep the attention window of 4096/),
  ]);
  expect(first.lostWindow).toBe(4096);
  const later = await openCheckpoint(mistral7B(1e6));
  expect([later.warnings, later.lostWindow]).toEqual([undefined, undefined]);
});

test("there are at least 25 kinds of broken files, with different names", () => {
  expect(new Set(brokenGgufs.map(({ name }) => name)).size).toBe(brokenGgufs.length);
  expect(brokenGgufs.length).toBeGreaterThanOrEqual(25);
});

test.each(brokenGgufs)("$name", async ({ files, expect: words }) => {
  const error: unknown = await openCheckpoint(memorySource(files())).then(
    () => "opened",
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toMatch(words);
  expect((error as Error).message).toMatch(/^[^:]+\.gguf: (.+: )?expected .+, got .+\. \S.*[.:]?$/s);
  expect((error as Error).message.length).toBeLessThan(600);
});
