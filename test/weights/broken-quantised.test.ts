// Quantised checkpoints that are broken, or of kinds that Sirocco does not read: each is refused with file
// and tensor or field.
import { expect, test } from "vitest";
import { CheckpointError, openCheckpoint, type TensorInfo } from "../../weights/index.ts";
import { type Files, filesOf, join, memorySource, split } from "./memory-source.ts";

const root = "test/golden/quantised/";
const Q = "model.layers.0.self_attn.q_proj";

type Json = Record<string, unknown>;
type Break = (files: Files) => void;

const parse = (bytes: Uint8Array | "directory" | undefined): Json =>
  JSON.parse(new TextDecoder().decode(bytes as Uint8Array));
const bytesOf = (json: Json) => new TextEncoder().encode(JSON.stringify(json));

/** Changes fields of `quantization_config`. */
const config = (fields: Json): Break => {
  return (files) => {
    const json = parse(files["config.json"]);
    const all = { ...(json["quantization_config"] as Json), ...fields };
    files["config.json"] = bytesOf({ ...json, quantization_config: all });
  };
};

/** Changes the weights of compressed-tensors. */
const weights = (fields: Json): Break => {
  return (files) => {
    const groups = (parse(files["config.json"])["quantization_config"] as Json)["config_groups"] as Json;
    const group = groups["group_0"] as { weights: Json };
    config({ config_groups: { group_0: { ...group, weights: { ...group.weights, ...fields } } } })(files);
  };
};

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

/** Changes the header of the weights, or the bytes after it. */
const change = (edit: (header: Header, data: Uint8Array) => void): Break => {
  return (files) => {
    const { header, data } = split(files["model.safetensors"] as Uint8Array);
    const entries: Header = JSON.parse(header);
    edit(entries, data);
    files["model.safetensors"] = join(JSON.stringify(entries), data);
  };
};

const renamed = (from: string, to: string) =>
  change((header) => {
    header[to] = header[from]!;
    delete header[from];
  });
const reshaped = (name: string, shape: number[], dtype?: string) =>
  change((header) => {
    Object.assign(header[name]!, { shape, ...(dtype && { dtype }) });
  });
const filled = (name: string, byte: number) =>
  change((header, data) => {
    data.subarray(...header[name]!.data_offsets).fill(byte);
  });

type Row = readonly [name: string, folder: string, change: Break, message: RegExp];
const GPTQ = "gptq_4bit_sym_g32";
const CT = "ct_w4a16_asym_g32";
const FIELD = "config\\.json: quantization_config: ";
const field = (name: string, expected: string) => new RegExp(`^${FIELD}${name}: expected ${expected}`);

const refused: readonly Row[] = [
  ["3 bits", GPTQ, config({ bits: 3 }), field("bits", "4 or 8, got 3")],
  ["planar GPTQ", GPTQ, config({ checkpoint_format: "gptq_p" }), field("checkpoint_format", '"gptq" or')],
  ["Marlin", GPTQ, config({ checkpoint_format: "marlin" }), field("checkpoint_format", '.* got "marlin"')],
  ["Marlin by flag", GPTQ, config({ is_marlin_format: true }), field("is_marlin_format", "false")],
  ["settings for some matrices", GPTQ, config({ dynamic: { "-:.*down": {} } }), field("dynamic", "the same")],
  ["a group of 12", GPTQ, config({ group_size: 12 }), field("group_size", "a multiple of 8")],
  ["sym as a text", GPTQ, config({ sym: "yes" }), field("sym", "true or false")],
  ["bitsandbytes", GPTQ, config({ quant_method: "bitsandbytes" }), field("quant_method", "one of gptq, awq")],
  ["no method", GPTQ, config({ quant_method: null, bits: null }), field("quant_method", ".* got nothing")],
  ["AWQ's gemv", "awq_gemm_g32", config({ version: "gemv" }), field("version", '"gemm", got "gemv"')],
  ["AWQ of llm-awq", "awq_gemm_g32", config({ backend: "llm-awq" }), field("backend", '"autoawq"')],
  ["AWQ of 8 bits", "awq_gemm_g32", config({ bits: 8 }), field("bits", "4, got 8")],
  ["NVFP4", CT, config({ format: "nvfp4-pack-quantized" }), field("format", "one of pack-quantized")],
  ["two groups", CT, config({ config_groups: { a: {}, b: {} } }), field("config_groups", "one group")],
  ["6 bits", CT, weights({ num_bits: 6 }), field("config_groups: group_0: weights: num_bits", "4 or 8")],
  ["FP4", CT, weights({ type: "float" }), field("config_groups: group_0: weights: num_bits", "8 for floats")],
  ["MXFP4 of MLX", "mlx_4bit_g64", config({ mode: "mxfp4" }), field("mode", '"affine", got "mxfp4"')],
  ["E5M2", "fp8_e4m3_tensor", config({ fmt: "e5m2" }), field("fmt", '"e4m3"')],
  [
    "blocks of nothing",
    "fp8_block_64",
    config({ weight_block_size: [0, 64] }),
    field("weight_block_size", ".rows"),
  ],
  [
    "no scales",
    GPTQ,
    renamed(`${Q}.scales`, "other.scales"),
    /^model\.safetensors: model\.layers\.0\.self_attn\.q_proj\.scales: expected a tensor \[2,64\], got none/,
  ],
  [
    "scales of another group",
    GPTQ,
    config({ group_size: 64 }),
    /^model\.safetensors: .*q_proj\.scales: expected shape \[1,64\], got \[2,64\]/,
  ],
  [
    "codes of another width",
    GPTQ,
    reshaped(`${Q}.qweight`, [4, 128]),
    /^model\.safetensors: .*q_proj\.qweight: expected shape \[8,64\], got \[4,128\]/,
  ],
  [
    "codes that are floats",
    GPTQ,
    reshaped(`${Q}.qweight`, [8, 64], "F32"),
    /^model\.safetensors: .*q_proj\.qweight: expected dtype I32, U32, got F32/,
  ],
  [
    "a tensor too many",
    GPTQ,
    renamed(`${Q}.g_idx`, `${Q}.extra`),
    /^model\.safetensors: .*q_proj\.extra: expected no tensor of this name/,
  ],
  [
    "an fp8 matrix of E5M2",
    "fp8_e4m3_tensor",
    reshaped(`${Q}.weight`, [64, 64], "F8_E5M2"),
    /^model\.safetensors: .*q_proj\.weight: expected dtype F8_E4M3, got F8_E5M2/,
  ],
  [
    "groups that do not exist",
    "gptq_4bit_desc_act_g32",
    filled(`${Q}.g_idx`, 9),
    /^model\.safetensors: .*q_proj\.g_idx: expected groups below 2, got \d+ at 0/,
  ],
];

const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "read",
    (error: unknown) => error,
  );

test.each(refused)("%s", async (_name, folder, change, message) => {
  const files: Files = filesOf(root + folder);
  change(files);
  const error = await refusal(openCheckpoint(memorySource(files)));
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toMatch(message);
});

/** Faults that are in the bytes of tensors: found when they are read. */
const unreadable: readonly Row[] = [
  [
    "zeros of a symmetric checkpoint that are not",
    GPTQ,
    filled(`${Q}.qzeros`, 0x33),
    /^model\.safetensors: .*q_proj\.qzeros: expected a zero of 8 in all groups.* got 4 in row 0, group 0/,
  ],
  [
    "a bias that is not zero",
    "gptq_old_quantize_config",
    filled(`${Q}.bias`, 0x33),
    /^model\.safetensors: .*q_proj\.bias: expected no bias, or zeros, got 0\.\d+ at 0/,
  ],
  [
    "an infinite scale",
    GPTQ,
    filled(`${Q}.scales`, 0x7c),
    /^model\.safetensors: .*q_proj\.scales: expected finite numbers, got NaN at 0/,
  ],
  [
    "a scale that f16 cannot hold",
    "ct_w4a16_sym_g32",
    filled(`${Q}.weight_scale`, 0x49),
    /^model\.safetensors: .*q_proj\.weight_scale: expected scales up to 65504, got \d+/,
  ],
  [
    "an FP8 matrix of NaN",
    "fp8_e4m3_tensor",
    filled(`${Q}.weight`, 0x7f),
    /^model\.safetensors: .*q_proj\.weight: expected numbers, got NaN in row 0, column 0/,
  ],
  [
    "act-order that the configuration denies",
    "gptq_4bit_desc_act_g32",
    config({ desc_act: false }),
    /^model\.safetensors: .*proj\.g_idx: expected columns in the order of their groups, .* got act-order\. Set/,
  ],
];

test.each(unreadable)("%s", async (_name, folder, change, message) => {
  const files: Files = filesOf(root + folder);
  change(files);
  const checkpoint = await openCheckpoint(memorySource(files));
  const readAll = async (tensor: TensorInfo) => {
    for await (const { bytes } of checkpoint.readRows(tensor, { maxBytes: 2 ** 20 }))
      expect(bytes.length).toBeGreaterThan(0);
  };
  const error = await refusal(Promise.all([...checkpoint.tensors.values()].map(readAll)));
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toMatch(message);
});

test("a configuration left behind by an unknown method does not matter if the weights are ordinary", async () => {
  const files: Files = filesOf("test/golden/families/gqa_4x2");
  config({ quant_method: "bitsandbytes", load_in_4bit: true })(files);
  expect((await openCheckpoint(memorySource(files))).quantised).toBeNull();
});
