// mergeModel: a base with an adapter merged into it, as a checkpoint in bf16.
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadModel, mergeModel } from "../../engine/node.ts";
import { bf16ToNumber, numberToBf16 } from "../../kernels/formats/half.ts";
import { type FloatEncoding, toFloats } from "../../weights/floats.ts";
import { type Checkpoint, writeHeader } from "../../weights/index.ts";
import { folderSource, mergeAdapter, openAdapter, openCheckpoint } from "../../weights/node.ts";
import { adapterSource, floats, ones } from "../weights/adapter-files.ts";
import { memorySource, split } from "../weights/memory-source.ts";

const golden = new URL("../golden/", import.meta.url).pathname;
const base = `${golden}families/gqa_4x2`;
const adapters = readdirSync(`${golden}adapters`).filter((each) => each !== "lora_two_adapters");
const newFolder = () => join(mkdtempSync(join(tmpdir(), "sirocco-")), "out");

interface Case {
  readonly ids: number[];
  readonly last_logits: number[];
  readonly greedy_16: number[];
}

const casesOf = (folder: string): Case[] =>
  JSON.parse(readFileSync(`${golden}adapters/${folder}/golden.json`, "utf8")).cases;

const farthest = (a: ArrayLike<number>, b: readonly number[]): number =>
  b.reduce((most, value, i) => Math.max(most, Math.abs(value - a[i]!)), 0);

/** The merged weights as f32, unrounded. */
async function mergedSource(folder: string) {
  const checkpoint = await openCheckpoint(folderSource(base));
  const adapter = await openAdapter(folder, folderSource(`${golden}adapters/${folder}`), checkpoint.config);
  const merged = mergeAdapter(checkpoint, adapter);
  const infos = [...merged.tensors.values()];
  const pieces: Uint8Array[] = [];
  for (const info of infos) {
    for await (const { bytes } of merged.readRows(info, { maxBytes: 4096 })) pieces.push(bytes.slice());
  }
  const header = writeHeader(infos.map(({ name, shape }) => ({ name, shape, dtype: "F32" })));
  return memorySource({
    "config.json": new Uint8Array(readFileSync(`${base}/config.json`)),
    "model.safetensors": new Uint8Array(Buffer.concat([header.bytes, ...pieces])),
  });
}

describe.each(adapters)("%s", (folder) => {
  test("the merged weights give the golden logits and tokens", async () => {
    const model = await loadModel(await mergedSource(folder), { weights: "f32", tune: false });
    try {
      for (const { ids, last_logits, greedy_16 } of casesOf(folder)) {
        expect(farthest(await model.logits(ids), last_logits)).toBeLessThan(5e-4);
        const tokens: number[] = [];
        const options = { temperature: 0, maxTokens: 16, ignoreEos: true };
        for await (const chunk of model.generate(ids, options)) tokens.push(...chunk.ids);
        expect(tokens).toEqual(greedy_16);
      }
    } finally {
      model.dispose();
    }
  });

  test("the checkpoint has the nearest numbers of bf16, and runs", async () => {
    const out = newFolder();
    const adapter = `${golden}adapters/${folder}`;
    const { files, quantised } = await mergeModel(base, { adapter, out });
    expect([quantised, [...files].sort()]).toEqual([null, readdirSync(out).sort()]);
    const exact = await openCheckpoint(await mergedSource(folder));
    const written = await openCheckpoint(folderSource(out));
    expect([...written.tensors.keys()].sort()).toEqual([...exact.tensors.keys()].sort());
    for (const name of exact.tensors.keys()) {
      const [values, halves] = [await floatsOf(exact, name), await floatsOf(written, name)];
      for (const [i, value] of values.entries())
        expect(halves[i], `${name} ${i}`).toBe(bf16ToNumber(numberToBf16(value)));
    }
    const model = await loadModel(out, { weights: "bf16", tune: false });
    try {
      for (const { ids, last_logits } of casesOf(folder))
        expect(farthest(await model.logits(ids), last_logits)).toBeLessThan(0.5);
    } finally {
      model.dispose();
    }
  });
});

test("several files with an index, of one tensor each at least", async () => {
  const out = newFolder();
  const adapter = `${golden}adapters/lora_qv`;
  const { files } = await mergeModel(base, { adapter, out, shardBytes: 10_000 });
  const shards = files.filter((name) => name.endsWith(".safetensors"));
  expect(shards.length).toBeGreaterThan(3);
  for (const shard of shards) expect(statSync(join(out, shard)).size).toBeLessThan(12_000);
  const one = newFolder();
  await mergeModel(base, { adapter, out: one });
  const [several, single] = await Promise.all([out, one].map((each) => openCheckpoint(folderSource(each))));
  for (const name of single!.tensors.keys())
    expect(await floatsOf(several!, name)).toEqual(await floatsOf(single!, name));
});

test("of a quantised base the dequantised weights are merged, and the report says so", async () => {
  const out = newFolder();
  const quantised = `${golden}quantised/gptq_4bit_desc_act_g32`;
  const checkpoint = await openCheckpoint(folderSource(quantised));
  const { D, H, d, L } = checkpoint.config;
  const names = Array.from({ length: L }, (_, i) => `model.layers.${i}.self_attn.q_proj`);
  const adapter = adapterSource(
    { r: 1, lora_alpha: 2, target_modules: ["q_proj"] },
    names.flatMap((name) => [
      ones(`base_model.model.${name}.lora_A.weight`, [1, D], 0.5),
      ones(`base_model.model.${name}.lora_B.weight`, [H * d, 1], 0.25),
    ]),
  );
  const report = await mergeModel(quantised, { adapter, out });
  expect(report).toMatchObject({ changed: L, quantised: expect.stringMatching(/^GPTQ/) });
  const config = JSON.parse(readFileSync(join(out, "config.json"), "utf8"));
  expect(config).not.toHaveProperty("quantization_config");
  expect(config.torch_dtype).toBe("bfloat16");
  const written = await openCheckpoint(folderSource(out));
  expect(written.quantised).toBeNull();
  const decoded = { ...checkpoint, ...checkpoint.quantised!.decoded!() };
  for (const name of [`${names[0]}.weight`, "model.layers.0.self_attn.k_proj.weight"]) {
    const before = await floatsOf(decoded, name);
    const after = await floatsOf(written, name);
    const added = name.includes("q_proj") ? 0.25 : 0;
    for (const [i, value] of before.entries())
      expect(after[i], name).toBe(bf16ToNumber(numberToBf16(Math.fround(value + added))));
  }
});

test("Phi-3 is written with its fused matrices; an adapter of them changes q, k and v", async () => {
  const out = newFolder();
  const phi3 = `${golden}architectures/phi3_fused`;
  const checkpoint = await openCheckpoint(folderSource(phi3));
  const { D, H, G, d } = checkpoint.config;
  const rows = (H + 2 * G) * d;
  const prefix = "base_model.model.model.layers.1.self_attn.qkv_proj";
  const b = floats(`${prefix}.lora_B.weight`, [rows, 1], (i) => i / 1024);
  const adapter = adapterSource({ r: 1, lora_alpha: 1, target_modules: "all-linear" }, [
    ones(`${prefix}.lora_A.weight`, [1, D], 1),
    b,
  ]);
  await mergeModel(phi3, { adapter, out });
  const before = new Uint8Array(readFileSync(join(phi3, "model.safetensors")));
  const namesIn = (file: Uint8Array) => Object.keys(JSON.parse(split(file).header)).sort();
  const after = new Uint8Array(readFileSync(join(out, "model.safetensors")));
  expect(namesIn(after)).toEqual([...new Set([...namesIn(before), "__metadata__"])].sort());
  const written = await openCheckpoint(folderSource(out));
  let row = 0;
  for (const part of ["q", "k", "v"]) {
    const name = `model.layers.1.self_attn.${part}_proj.weight`;
    const [old, now] = [await floatsOf(checkpoint, name), await floatsOf(written, name)];
    for (const [i, value] of old.entries()) {
      const sum = Math.fround(value + (row + Math.floor(i / D)) / 1024);
      expect(now[i], `${name} ${i}`).toBe(bf16ToNumber(numberToBf16(sum)));
    }
    row += old.length / D;
  }
  expect(row).toBe(rows);
});

test("a sum that bf16 cannot hold is refused by the tensor's name, and nothing is left", async () => {
  const { D, F, L } = (await openCheckpoint(folderSource(base))).config;
  const name = `model.layers.${L - 1}.mlp.down_proj`;
  const adapter = adapterSource({ r: 1, lora_alpha: 1, target_modules: ["down_proj"] }, [
    ones(`base_model.model.${name}.lora_A.weight`, [1, F], 3e37),
    ones(`base_model.model.${name}.lora_B.weight`, [D, 1], 3e37),
  ]);
  const out = newFolder();
  await expect(mergeModel(base, { adapter, out })).rejects.toThrow(
    new RegExp(`${name}.weight: expected .* bf16 .*, got infinity or NaN`),
  );
  expect(existsSync(out)).toBe(false);
});

describe("the folder", () => {
  const adapter = `${golden}adapters/lora_qv`;

  test("is not there if the work is cancelled or fails", async () => {
    const out = newFolder();
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("stop"));
    const options = { adapter, out, onProgress, signal: controller.signal };
    await expect(mergeModel(base, options)).rejects.toThrow("stop");
    expect(existsSync(out)).toBe(false);
    await expect(mergeModel(base, { adapter: base, out })).rejects.toThrow("adapter: adapter_config.json");
    expect(existsSync(out)).toBe(false);
  });

  test("that is none is refused before the base is opened", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "sirocco-")), "notes.txt");
    writeFileSync(file, "mine");
    for (const [out, got] of [
      ["", "an empty text"],
      [file, `${file}, which is a file`],
      [join(file, "below"), "which is a file or below one"],
    ] as const)
      for (const force of [false, true])
        await expect(mergeModel("/no/such/base", { adapter, out, force }), out).rejects.toMatchObject({
          ...{ parameter: "out", code: "out-of-range" },
          message: expect.stringMatching(`^out: expected a folder, got .*${got}`),
        });
    expect(readFileSync(file, "utf8")).toBe("mine");
  });

  test("that holds files is refused; with force its checkpoint is replaced, and nothing else", async () => {
    const out = newFolder();
    await mergeModel(base, { adapter, out, shardBytes: 10_000 });
    const mine = ["adapter_model.safetensors", "notes.txt"];
    for (const name of mine) writeFileSync(join(out, name), "mine");
    await expect(mergeModel(base, { adapter, out })).rejects.toMatchObject({ parameter: "out" });
    const before = readdirSync(out);
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("stop"));
    const options = { adapter, out, force: true };
    await expect(mergeModel(base, { ...options, onProgress, signal: controller.signal })).rejects.toThrow(
      "stop",
    );
    expect(readdirSync(out)).toEqual(before);
    // The base itself may be replaced.
    const { files } = await mergeModel(out, options);
    expect(readdirSync(out).sort()).toEqual([...files, ...mine].sort());
    expect(files).toContain("model.safetensors");
  });
});

async function floatsOf(checkpoint: Checkpoint, name: string): Promise<Float32Array> {
  const info = checkpoint.tensors.get(name)!;
  const pieces: Uint8Array[] = [];
  for await (const { bytes } of checkpoint.readRows(info, { maxBytes: 5000 })) pieces.push(bytes.slice());
  return toFloats(new Uint8Array(Buffer.concat(pieces)), info.encoding as FloatEncoding);
}
