// LoRA adapters: the golden ones merged into their base, and what is refused.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { matchesWhole, Pattern } from "../../weights/adapters/pattern.ts";
import { type FloatEncoding, toFloats } from "../../weights/floats.ts";
import { CheckpointError, fileSource, openAdapter, openCheckpoint } from "../../weights/index.ts";
import { folderSource, mergeAdapter } from "../../weights/node.ts";
import { randomU32 } from "../random.ts";
import { adapterSource, adapterTensors, type F32Tensor, floats, ones } from "./adapter-files.ts";
import { memorySource } from "./memory-source.ts";

const golden = new URL("../golden/", import.meta.url).pathname;
const folders = readdirSync(`${golden}adapters`).filter((each) => each !== "lora_two_adapters");

const base = () => openCheckpoint(folderSource(`${golden}families/gqa_4x2`));

type Samples = Readonly<Record<string, readonly (readonly [row: number, column: number, value: number])[]>>;

describe.each(folders)("%s", (folder) => {
  test("merged weights", async () => {
    const path = `${golden}adapters/${folder}`;
    const checkpoint = await base();
    const merged = mergeAdapter(checkpoint, await openAdapter(folder, folderSource(path), checkpoint.config));
    const { dequant_samples } = JSON.parse(readFileSync(`${path}/golden.json`, "utf8"));
    expect(Object.keys(dequant_samples).length).toBeGreaterThan(3);
    for (const [name, samples] of Object.entries(dequant_samples as Samples)) {
      const info = merged.tensors.get(name)!;
      const rows: Uint8Array[] = [];
      for await (const { bytes } of merged.readRows(info, { maxBytes: 1000 })) rows.push(bytes.slice());
      const values = new Float32Array(new Uint8Array(Buffer.concat(rows)).buffer);
      const K = info.shape[1]!;
      for (const [n, k, value] of samples)
        expect(Math.abs(values[n * K + k]! - value), `${name} ${n} ${k}`).toBeLessThanOrEqual(
          2 ** -24 * Math.abs(value) + 1e-9,
        );
    }
  });
});

test("two adapters have other digests; the same files the same", async () => {
  const { config } = await base();
  const open = (name: string) =>
    openAdapter(name, folderSource(`${golden}adapters/lora_two_adapters/${name}`), config);
  const [a, again, b] = [await open("a"), await open("a"), await open("b")];
  expect(a.digest).toMatch(/^[0-9a-f]{64}$/);
  expect(again.digest).toBe(a.digest);
  expect(b.digest).not.toBe(a.digest);
  expect(a.matrix("oProj", 1)?.rank).toBe(4);
  expect(b.matrix("oProj", 1)).toBeUndefined();
  expect(b.matrix("qProj", 0)).toMatchObject({ rank: 8, scale: 0.5 });
});

const path = "model.layers.0.self_attn.q_proj";
const prefix = `base_model.model.${path}`;
const a = ones(`${prefix}.lora_A.weight`, [2, 32]);
const b = ones(`${prefix}.lora_B.weight`, [32, 2]);
const fits = { r: 2, lora_alpha: 8, target_modules: ["q_proj"] };

const open = async (config: object, tensors: readonly F32Tensor[] = [a, b], from = base) =>
  openAdapter("x", adapterSource({ ...fits, ...config }, tensors), (await from()).config);

test.each([
  ["defaults", {}, 4],
  ["rsLoRA", { use_rslora: true }, 8 / Math.sqrt(2)],
  ["the end of a path", { alpha_pattern: { q_proj: 2 } }, 1],
  ["an expression", { alpha_pattern: { "layers\\.[0-1]\\.self_attn\\.(q|k)_proj": 2 } }, 1],
  ["the first that matches", { alpha_pattern: { k_proj: 6, ".*": 2, q_proj: 4 } }, 1],
  ["no part of a name", { alpha_pattern: { _proj: 2 } }, 4],
  ["the whole path only", { alpha_pattern: { [`^${path}`]: 2 } }, 1],
  ["not from the middle", { alpha_pattern: { "^self_attn.q_proj": 2 } }, 4],
  ["names in no list", { target_modules: "all-linear" }, 4],
  ["an expression of targets", { target_modules: ".*\\.(q|v)_proj" }, 4],
  ["layers", { layers_to_transform: [0], layers_pattern: "layers" }, 4],
  ["a target that is excluded", { target_modules: ["q_proj", "v_proj"], exclude_modules: ["v_proj"] }, 4],
  ["no list of layers", { layers_to_transform: [], layers_pattern: "" }, 4],
  [
    "fields without effect",
    { lora_dropout: 0.1, model_type: "mistral", peft_version: "0.18", new_field: 3 },
    4,
  ],
])("scale: %s", async (_, config, scale) => {
  expect((await open(config)).matrix("qProj", 0)).toMatchObject({ rank: 2, scale });
});

test.each([
  ["peft_type", { peft_type: "IA3" }],
  ["task_type", { task_type: "SEQ_CLS" }],
  ["fan_in_fan_out", { fan_in_fan_out: true }],
  ["layer_replication", { layer_replication: [[0, 2]] }],
  ["alora_invocation_tokens", { alora_invocation_tokens: [1] }],
  ["alora_invocation_tokens", { alora_invocation_tokens: [] }],
  ["target_parameters", { target_parameters: ["experts"] }],
  ["use_qalora", { use_qalora: true }],
  ["use_bdlora", { use_bdlora: { nblocks: 2 } }],
  ["arrow_config", { arrow_config: { top_k: 3 } }],
  ["kasa_config", { kasa_config: { beta: 1 } }],
  ["monteclora_config", { monteclora_config: { samples: 4 } }],
  ["megatron_config", { megatron_config: { a: 1 } }],
  ["ensure_weight_tying", { ensure_weight_tying: true }],
  ["init_lora_weights", { init_lora_weights: "pissa_niter_4" }],
  ["init_lora_weights", { init_lora_weights: "olora" }],
  ["bias", { bias: "some" }],
  ["lora_bias", { lora_bias: true, use_dora: true }],
  ["use_later", { use_later: true }],
  ["later_config", { later_config: { a: 1 } }],
  ["r", { r: 0 }],
  ["r", { r: "8" }],
  ["lora_alpha", { lora_alpha: "NaN" }],
  ["rank_pattern", { rank_pattern: { q_proj: 1.5 } }],
  ["rank_pattern", { rank_pattern: [] }],
  ["alpha_pattern", { alpha_pattern: { "(a": 1 } }],
  ["use_dora", { use_dora: "yes" }],
  ["target_modules", { target_modules: [1] }],
  ["target_modules", { target_modules: "(?P<a>q_proj)" }],
  ["layers_pattern", { layers_pattern: ["h"] }],
  ["layers_to_transform", { layers_to_transform: [-1] }],
  ["modules_to_save", { modules_to_save: "lm_head" }],
  ["modules_to_save", { modules_to_save: ["lm_head"] }],
  ["trainable_token_indices", { trainable_token_indices: [1, 1] }],
  ["trainable_token_indices", { trainable_token_indices: [1, 2] }],
  ["trainable_token_indices", { trainable_token_indices: { embed_tokens: ["a"] } }],
])("refuses %s: %j", async (field, config) => {
  const error = await open(config).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toMatch(new RegExp(`^adapter_config\\.json: "?${field}`));
});

const nan = floats(a.name, a.shape, (i) => (i === 40 ? Number.NaN : 0));
const magnitude = ones(`${prefix}.lora_magnitude_vector`, [32]);
const outputBias = ones(`${prefix}.lora_B.bias`, [32]);
const embedding = "base_model.model.model.embed_tokens";
const delta = ones(`${embedding}.token_adapter.trainable_tokens_delta`, [2, 32]);

test.each<[string, object, F32Tensor[], RegExp]>([
  ["A without B", {}, [a], /expected B, as there is A, got none/],
  ["B without A", {}, [b], /expected A, as there is B, got none/],
  ["no tensors", {}, [], /expected tensors of an adapter/],
  ["another rank", { r: 4 }, [a, b], /lora_A\.weight: expected shape \[4,32\], got \[2,32\]/],
  ["a rank of a pattern", { rank_pattern: { q_proj: 3 } }, [a, b], /expected shape \[3,32\]/],
  ["another width", {}, [{ ...a, shape: [1, 64] }, b], /expected shape \[2,32\], got \[1,64\]/],
  ["NaN", {}, [nan, b], /lora_A\.weight: expected finite numbers, got infinity or NaN in row 1/],
  [
    "a module that the model lacks",
    {},
    [{ ...a, name: a.name.replace(".0.", ".9.") }, b],
    /none of this name/,
  ],
  ["a fused module", {}, [{ ...a, name: a.name.replace("q_proj", "qkv_proj") }], /none of this name/],
  ["a norm", {}, [{ ...a, name: "base_model.model.model.norm.lora_A.weight" }], /added to this module/],
  ["another name", {}, [{ ...a, name: `${prefix}.lora_C` }], /another name/],
  ["no prefix", {}, [{ ...a, name: `${path}.lora_A.weight` }], /another name/],
  [
    "no tensors of a target",
    { target_modules: ["q_proj", "v_proj"] },
    [a, b],
    /target_modules: "v_proj": expected its tensors in adapter_model.safetensors, got none/,
  ],
  [
    "a module that is no target",
    { target_modules: ["v_proj"] },
    [a, b],
    /one that its target_modules leaves out/,
  ],
  ["an expression that leaves it out", { target_modules: ".*v_proj" }, [a, b], /target_modules leaves out/],
  ["an excluded module", { exclude_modules: ["q_proj"] }, [a, b], /its exclude_modules leaves out/],
  ["another layer", { layers_to_transform: 1 }, [a, b], /its layers_to_transform leaves out/],
  [
    "a layer beyond the model's",
    { layers_to_transform: [0, 9] },
    [a, b],
    /layers_to_transform: expected layers below \d, got 9\. The adapter belongs to another model/,
  ],
  [
    "DoRA without magnitudes",
    { use_dora: true },
    [a, b],
    /expected lora_magnitude_vector, as .* says use_dora/,
  ],
  ["magnitudes without DoRA", {}, [a, b, magnitude], /expected none, as .* does not say use_dora/],
  ["a bias that is missing", { lora_bias: true }, [a, b], /expected lora_B\.bias/],
  ["a bias without lora_bias", {}, [a, b, outputBias], /does not say lora_bias/],
  ["tokens without a list", {}, [delta], /expected shape \[0,32\]/],
  ["tokens of a list of another length", { trainable_token_indices: [1, 2, 3] }, [delta], /shape \[3,32\]/],
  ["a token that is not there", { trainable_token_indices: [1, 96] }, [delta], /tokens below 96, got 96/],
  [
    "a vocabulary that grew",
    {},
    [ones(`${embedding}.base_layer.weight`, [97, 32])],
    /expected shape \[96,32\]/,
  ],
])("refuses tensors: %s", async (_, config, tensors, message) => {
  const error = await open(config, tensors).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toMatch(message);
});

test("refuses adapter_model.bin, and a folder without an adapter", async () => {
  const { config } = await base();
  const json = new TextEncoder().encode(JSON.stringify({ peft_type: "LORA" }));
  const pickle = { "adapter_config.json": json, "adapter_model.bin": json };
  await expect(openAdapter("x", memorySource(pickle), config)).rejects.toThrow(
    /^adapter_model\.safetensors: .*adapter_model\.bin, which can run code/,
  );
  await expect(openAdapter("x", memorySource({}), config)).rejects.toThrow(
    /^adapter_config\.json: expected a file/,
  );
});

test("picked files: the outermost adapter of a folder", async () => {
  const { config } = await base();
  const files = ["", "checkpoint-5/"].flatMap((folder) =>
    ["adapter_config.json", "adapter_model.safetensors"].map((name) => {
      const from = `${golden}adapters/lora_two_adapters/${folder === "" ? "a" : "b"}/${name}`;
      return Object.assign(new File([readFileSync(from)], name), {
        webkitRelativePath: `lora/${folder}${name}`,
      });
    }),
  );
  expect((await openAdapter("x", fileSource(files), config)).matrix("oProj", 0)?.rank).toBe(4);
});

async function merged(config: object, tensors: readonly F32Tensor[], name: string, from = base) {
  const checkpoint = await from();
  const result = mergeAdapter(checkpoint, await open(config, tensors, async () => checkpoint));
  const read = async ({ readRows, tensors }: typeof result) => {
    const info = tensors.get(name)!;
    const rows: Uint8Array[] = [];
    for await (const { bytes } of readRows(info, { maxBytes: 1000 })) rows.push(bytes.slice());
    return toFloats(new Uint8Array(Buffer.concat(rows)), info.encoding as FloatEncoding);
  };
  const before = checkpoint.tensors.has(name) ? await read(checkpoint) : undefined;
  return { config: result.config, before, after: await read(result) };
}

test("trained tokens replace their rows; a tied lm_head follows", async () => {
  const tied = () => openCheckpoint(folderSource(`${golden}families/tied`));
  const { D } = (await tied()).config;
  const rows = floats(delta.name, [2, D], (i) => i);
  const options = { trainable_token_indices: [5, 2], target_modules: [] };
  const { config, before, after } = await merged(options, [rows], "model.embed_tokens.weight", tied);
  expect(config.tied).toBe(true);
  const expected = before!.slice();
  expected.set(rows.values.subarray(0, D), 5 * D);
  expected.set(rows.values.subarray(D), 2 * D);
  expect(after).toEqual(expected);
});

test("a tied lm_head that is adapted becomes a matrix of its own", async () => {
  const tied = () => openCheckpoint(folderSource(`${golden}families/tied`));
  const { D, V } = (await tied()).config;
  const head = [
    ones("base_model.model.lm_head.lora_A.weight", [2, D]),
    ones("base_model.model.lm_head.lora_B.weight", [V, 2]),
  ];
  const options = { target_modules: ["lm_head"], lora_alpha: 2 };
  const { config, after } = await merged(options, head, "lm_head.weight", tied);
  const { before, after: same } = await merged(options, head, "model.embed_tokens.weight", tied);
  expect(config.tied).toBe(false);
  expect(same).toEqual(before);
  expect(after).toEqual(before!.map((value) => value + 2));
});

test("lora_bias adds to the bias of a model that has one, and cannot be merged otherwise", async () => {
  const qwen2 = () => openCheckpoint(folderSource(`${golden}architectures/qwen2_bias`));
  const { D, H, d } = (await qwen2()).config;
  const tensors = [
    ones(a.name, [2, D]),
    ones(b.name, [H * d, 2]),
    floats(outputBias.name, [H * d], (i) => i),
  ];
  const { before, after } = await merged({ lora_bias: true }, tensors, `${path}.bias`, qwen2);
  expect(after).toEqual(before!.map((value, i) => value + 4 * i));
  await expect(merged({ lora_bias: true }, [a, b, outputBias], `${path}.weight`)).rejects.toThrow(
    /cannot be merged/,
  );
});

test("a trained bias and a trained norm replace the model's", async () => {
  const qwen2 = () => openCheckpoint(folderSource(`${golden}architectures/qwen2_bias`));
  const { D, H, d } = (await qwen2()).config;
  // PEFT names the bias of a module that it adapts so.
  const bias = ones(`${prefix}.base_layer.bias`, [H * d], 3);
  const tensors = [bias, ones("base_model.model.model.norm.weight", [D], 2)];
  const options = { bias: "all", modules_to_save: ["norm"] };
  expect((await merged(options, tensors, `${path}.bias`, qwen2)).after).toEqual(tensors[0]!.values);
  expect((await merged(options, tensors, "model.norm.weight", qwen2)).after).toEqual(tensors[1]!.values);
});

describe("expressions as Python reads them", () => {
  const match = (pattern: string, text: string) =>
    matchesWhole(new Pattern(pattern, "x", { steps: 1e6 }), text);

  test.each([
    ["a.c", "abc", true],
    ["a\\.c", "abc", false],
    ["(ab|a)(c|bcd)?", "abcd", true],
    ["a*b+c?", "aabb", true],
    ["a{2,3}", "aaaa", false],
    ["a{2,3}", "aaa", true],
    ["a{,2}", "", true],
    ["a{2}", "aaa", false],
    ["a{x}", "a{x}", true],
    ["[a-c_\\d]+", "a_9", true],
    ["[^a-c]", "b", false],
    ["[]a]+", "]a", true],
    ["[a-]+", "a-", true],
    ["[\\]]", "]", true],
    ["^a$", "a", true],
    ["b^a", "ba", false],
    ["(?!.*vision).*q_proj", "model.vision.q_proj", false],
    ["(?!.*vision).*q_proj", "model.q_proj", true],
    ["(?=a).*?b", "ab", true],
    ["(?:a|)+", "aa", true],
    ["\\w+\\W\\D\\S", "ab.cd", true],
    ["", "", true],
    ["a|", "", true],
  ])("%s of %s: %s", (pattern, text, expected) => {
    expect(match(pattern, text)).toBe(expected);
  });

  test.each([
    "(",
    ")",
    "[a",
    "*",
    "a**",
    "a*+",
    "a{3,2}",
    "a{9999}",
    "\\1",
    "\\b",
    "(?i)a",
    "(?P<n>a)",
    "(?<=a)b",
    "\\",
    "[b-a]",
    "(".repeat(99),
    "a".repeat(3000),
  ])("refuses %s", (pattern) => {
    expect(() => new Pattern(pattern, "file: field", { steps: 1e6 })).toThrow(
      /^file: field: expected a regular expression/,
    );
  });

  test("take no exponential time, and an error once all take too long", () => {
    const text = "a".repeat(60);
    for (const pattern of ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*)*.*.*.*.*b", "((a?){30}a{30}){2}b"])
      expect(match(pattern, text)).toBe(false);
    const nested = `${"(".repeat(40)}a*${")*".repeat(40)}b`;
    expect(match(nested, text)).toBe(false);
    const budget = { steps: 1000 };
    const pattern = new Pattern("(a*)*b", "x", budget);
    expect(() => {
      for (let i = 0; i < 1000; i++) matchesWhole(pattern, text);
    }).toThrow(/takes too long/);
  });
});

test("any configuration opens, or is refused as a checkpoint is", async () => {
  const { config } = await base();
  const next = randomU32(17);
  const pick = <T>(list: readonly T[]): T => list[next() % list.length]!;
  const values = [
    null,
    true,
    false,
    0,
    1,
    2,
    -1,
    1e308,
    0.5,
    "",
    "q_proj",
    ".*",
    "((((",
    "(a*)*",
    [],
    ["q_proj"],
    [1],
    {},
    { q_proj: 2 },
    { "(": 1 },
    { "[z-a]": {} },
    [[]],
  ];
  const names = [
    "r",
    "lora_alpha",
    "rank_pattern",
    "alpha_pattern",
    "use_rslora",
    "use_dora",
    "target_modules",
    "exclude_modules",
    "layers_to_transform",
    "layers_pattern",
    "modules_to_save",
    "bias",
    "lora_bias",
    "trainable_token_indices",
    "init_lora_weights",
    "task_type",
    "peft_type",
    "fan_in_fan_out",
    "layer_replication",
    "__proto__",
    "constructor",
    "toString",
  ];
  let opened = 0;
  for (let i = 0; i < 3000; i++) {
    const fields = Array.from(
      { length: 1 + (next() % 3) },
      () => `${JSON.stringify(pick(names))}:${JSON.stringify(pick(values))}`,
    );
    const text = `{"peft_type":"LORA","r":2,${fields.join(",")}}`;
    const files = {
      "adapter_config.json": new TextEncoder().encode(text),
      "adapter_model.safetensors": adapterTensors([a, b]),
    };
    const error = await openAdapter("x", memorySource(files), config).then(
      () => void opened++,
      (error: unknown) => error,
    );
    if (error !== undefined) expect(error, text).toBeInstanceOf(CheckpointError);
  }
  expect(opened).toBeGreaterThan(100);
});
