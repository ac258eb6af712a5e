// Valid forms of config.json, and every refusal.
import { expect, test } from "vitest";
import { CheckpointError, parseConfig } from "../../weights/index.ts";

const mistral = {
  architectures: ["MistralForCausalLM"],
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_act: "silu",
  hidden_size: 4096,
  intermediate_size: 14336,
  max_position_embeddings: 32768,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-5,
  rope_theta: 10000.0,
  sliding_window: 4096,
  tie_word_embeddings: false,
  vocab_size: 32000,
};
const llama = { ...mistral, architectures: ["LlamaForCausalLM"], sliding_window: undefined };
const parse = (fields: object, base: object = mistral, generation?: object) =>
  parseConfig(
    JSON.stringify({ ...base, ...fields }),
    "config.json",
    generation && JSON.stringify(generation),
  );

test("Mistral 7B v0.1", async () => {
  expect(await parse({})).toEqual({
    architecture: "MistralForCausalLM",
    L: 32,
    D: 4096,
    F: 14336,
    H: 32,
    G: 8,
    d: 128,
    V: 32000,
    W: 4096,
    eps: 1e-5,
    ropeTheta: 10000,
    ropeScaling: null,
    queryScale: null,
    noRopeLayers: [],
    qkvBias: false,
    qkNorm: false,
    maxPositions: 32768,
    tied: false,
    bosTokenId: 1,
    eosTokenIds: [2],
  });
});

test("an object is accepted as well as text", async () => {
  expect((await parseConfig(mistral, "config.json", { eos_token_id: [2, 7] })).eosTokenIds).toEqual([2, 7]);
});

test.each([
  [{ sliding_window: null }, { W: null }],
  [{ sliding_window: 1024 }, { W: 1024 }],
  [{ sliding_window: undefined }, { W: 4096 }],
  [{ sliding_window: undefined, use_sliding_window: false }, { W: null }],
  [{ use_sliding_window: false }, { W: null }],
  [{ use_sliding_window: true }, { W: 4096 }],
  [{ head_dim: 160 }, { d: 160 }],
  [{ head_dim: null }, { d: 128 }],
  [{ num_key_value_heads: undefined }, { G: 32 }],
  [{ num_key_value_heads: null }, { G: 32 }],
  [{ num_key_value_heads: 1 }, { G: 1 }],
  [{ rope_theta: undefined }, { ropeTheta: 10000 }],
  [{ rope_theta: 1e6 }, { ropeTheta: 1e6 }],
  [
    { rope_theta: undefined, rope_parameters: { rope_theta: 1e6, rope_type: "default" } },
    { ropeTheta: 1e6, ropeScaling: null },
  ],
  [
    { rope_parameters: { rope_theta: 5e5, rope_type: "linear", factor: 2 } },
    { ropeTheta: 5e5, ropeScaling: { type: "linear", factor: 2 } },
  ],
  [{ rope_scaling: null }, { ropeScaling: null }],
  [{ rope_scaling: { type: "linear", factor: 4 } }, { ropeScaling: { type: "linear", factor: 4 } }],
  [{ rms_norm_eps: undefined }, { eps: 1e-6 }],
  [{ tie_word_embeddings: true }, { tied: true }],
  [{ tie_word_embeddings: undefined }, { tied: false }],
  [{ hidden_act: undefined }, {}],
  [{ attention_bias: false, mlp_bias: null }, {}],
  [
    { quantization_config: null, pretraining_tp: 4, partial_rotary_factor: 1, attn_logit_softcapping: null },
    {},
  ],
  [{ eos_token_id: [2, 5, 2] }, { eosTokenIds: [2, 5] }],
  [{ eos_token_id: null }, { eosTokenIds: [] }],
  [{ eos_token_id: -1 }, { eosTokenIds: [] }],
  [{ eos_token_id: [-1, 5] }, { eosTokenIds: [5] }],
  [{ eos_token_id: [] }, { eosTokenIds: [] }],
  [{ bos_token_id: -1 }, { bosTokenId: null }],
  [{ architectures: undefined, model_type: "mistral" }, { architecture: "MistralForCausalLM" }],
  [{ architectures: null, model_type: "llama" }, { architecture: "LlamaForCausalLM" }],
  [{ architectures: [], model_type: "mistral" }, { architecture: "MistralForCausalLM" }],
  [{ quantization_config: { quant_method: "awq" } }, {}],
  [{ hidden_act: "swish" }, {}],
  [
    { eos_token_id: undefined, bos_token_id: undefined },
    { bosTokenId: 1, eosTokenIds: [2] },
  ],
  [{ bos_token_id: null }, { bosTokenId: null }],
  [{ bos_token_id: [3] }, { bosTokenId: 3 }],
  [{ layer_types: ["full_attention", "full_attention"] }, {}],
  [JSON.parse('{"__proto__":{"hidden_size":1},"toString":1}'), { D: 4096 }],
])("%j", async (fields, expected) => {
  expect(await parse(fields)).toMatchObject(expected);
});

test("Llama has no window, whatever sliding_window says", async () => {
  expect(await parse({}, llama)).toMatchObject({ architecture: "LlamaForCausalLM", W: null });
  expect((await parse({ sliding_window: 4096 }, llama)).W).toBeNull();
});

test("Llama 3.1's RoPE", async () => {
  const fields = {
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const expected = {
    type: "llama3",
    factor: 8,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions: 8192,
  };
  expect((await parse({ rope_scaling: { ...fields, rope_type: "llama3" } }, llama)).ropeScaling).toEqual(
    expected,
  );
  const both = { ...fields, type: "llama3", rope_type: "llama3" };
  expect((await parse({ rope_scaling: both }, llama)).ropeScaling).toEqual(expected);
});

test("generation_config.json adds ends and fills in the beginning", async () => {
  expect(await parse({}, mistral, { eos_token_id: [7, 2], bos_token_id: 9 })).toMatchObject({
    bosTokenId: 1,
    eosTokenIds: [2, 7],
  });
  expect((await parse({ bos_token_id: null }, mistral, { bos_token_id: 9 })).bosTokenId).toBe(9);
  expect((await parse({}, mistral, {})).eosTokenIds).toEqual([2]);
});

const refusals: [fields: Record<string, unknown>, words: RegExp][] = [
  [{ architectures: undefined }, /architectures: expected .*MistralForCausalLM.*, got nothing/],
  [{ architectures: [] }, /architectures: .*got \[\]/],
  [{ architectures: "MistralForCausalLM" }, /architectures/],
  [{ architectures: ["MixtralForCausalLM"] }, /architectures: .*MixtralForCausalLM/],
  [{ architectures: ["MistralForCausalLM", "LlamaForCausalLM"] }, /architectures/],
  [{ architectures: [["MistralForCausalLM"]] }, /architectures/],
  [{ architectures: { 0: "MistralForCausalLM" } }, /architectures/],
  [{ hidden_act: "gelu" }, /hidden_act: expected "silu", got "gelu"/],
  [{ hidden_act: 7 }, /hidden_act/],
  [{ attention_bias: true }, /attention_bias: expected false, got true/],
  [{ attention_bias: "yes" }, /attention_bias: expected true or false/],
  [{ mlp_bias: true }, /mlp_bias: expected false/],
  [{ attn_logit_softcapping: 50 }, /attn_logit_softcapping: expected null, got 50/],
  [{ final_logit_softcapping: 30 }, /final_logit_softcapping: expected null, got 30/],
  [{ partial_rotary_factor: 0.5 }, /partial_rotary_factor: expected 1, got 0\.5/],
  [{ layer_types: ["full_attention", "sliding_attention"] }, /layer_types/],
  [{ rope_scaling: { type: "yarn", factor: 4 } }, /rope_scaling: original_max_position_embeddings: /],
  [{ rope_scaling: { rope_type: "dynamic", factor: 4 } }, /rope_scaling: rope_type: .*got "dynamic"/],
  [{ rope_scaling: { rope_type: "longrope" } }, /rope_type: .*"longrope"/],
  [{ rope_parameters: { rope_type: "yarn", rope_theta: 1e4 } }, /rope_parameters: factor: /],
  [
    { rope_parameters: { rope_theta: 1e4, partial_rotary_factor: 0.25 } },
    /rope_parameters: partial_rotary_factor/,
  ],
  [{ rope_scaling: "linear" }, /rope_scaling: expected an object or null/],
  [{ rope_scaling: { type: "linear" } }, /rope_scaling: factor: .*got nothing/],
  [{ rope_scaling: { type: "linear", factor: 0 } }, /factor/],
  [{ rope_scaling: { type: ["linear"], factor: 2 } }, /type/],
  [{ rope_scaling: { rope_type: "llama3", factor: 8 } }, /low_freq_factor/],
  [
    {
      rope_scaling: {
        rope_type: "llama3",
        factor: 8,
        low_freq_factor: 4,
        high_freq_factor: 4,
        original_max_position_embeddings: 8192,
      },
    },
    /high_freq_factor: expected more than low_freq_factor \(4\)/,
  ],
  [{ rope_theta: 0 }, /rope_theta/],
  [{ rope_theta: "1e4" }, /rope_theta/],
  [{ head_dim: 127 }, /head_dim: expected an even number.*, got 127/],
  [{ num_attention_heads: 4096 }, /head_dim: expected an even number.*, got 1/],
  [{ head_dim: 0 }, /head_dim: expected a whole number/],
  [{ head_dim: 131072 }, /head_dim/],
  [
    { num_key_value_heads: 5 },
    /num_key_value_heads: expected a divisor of num_attention_heads \(32\), got 5/,
  ],
  [{ num_key_value_heads: 64 }, /num_key_value_heads/],
  [
    { num_attention_heads: 31, num_key_value_heads: 31 },
    /hidden_size: expected a multiple of num_attention_heads/,
  ],
  [{ hidden_size: undefined }, /hidden_size: .*got nothing/],
  [{ hidden_size: 4096.5 }, /hidden_size/],
  [{ hidden_size: -4096 }, /hidden_size/],
  [{ hidden_size: "4096" }, /hidden_size: .*got "4096"/],
  [{ hidden_size: [4096] }, /hidden_size/],
  [{ hidden_size: 2 ** 40 }, /hidden_size/],
  [{ intermediate_size: 0 }, /intermediate_size/],
  [{ intermediate_size: 1e300 }, /intermediate_size/],
  [{ num_hidden_layers: 1e9 }, /num_hidden_layers/],
  [{ num_hidden_layers: true }, /num_hidden_layers/],
  [{ vocab_size: null }, /vocab_size/],
  [{ vocab_size: 2 ** 53 }, /vocab_size/],
  [{ max_position_embeddings: 0 }, /max_position_embeddings/],
  [{ sliding_window: 0 }, /sliding_window/],
  [{ sliding_window: -1 }, /sliding_window/],
  [{ sliding_window: "4096" }, /sliding_window/],
  [{ use_sliding_window: 0 }, /use_sliding_window/],
  [{ rms_norm_eps: 0 }, /rms_norm_eps/],
  [{ rms_norm_eps: "1e-5" }, /rms_norm_eps/],
  [{ tie_word_embeddings: "false" }, /tie_word_embeddings/],
  [{ bos_token_id: 32000 }, /bos_token_id: expected token ids from 0 to 31999, got 32000/],
  [{ eos_token_id: [2, "3"] }, /eos_token_id/],
  [{ eos_token_id: {} }, /eos_token_id/],
];

test.each(refusals)("%j is refused", async (fields, words) => {
  await expect(parse(fields)).rejects.toThrow(CheckpointError);
  await expect(parse(fields)).rejects.toThrow(words);
  await expect(parse(fields)).rejects.toThrow(/^config\.json: .*expected .*, got .*\. \S/);
});

test("a duplicate field, and values that are no object", async () => {
  const twice = JSON.stringify(mistral).replace("{", '{"vocab_size":1,');
  // As Python reads it: the last one counts.
  expect(await parseConfig(twice)).toEqual(await parseConfig(mistral));
  for (const text of ["", "null", "[]", "3", '"x"', "{", "<html>", "NaN", `${"[".repeat(50_000)}`]) {
    await expect(parseConfig(text)).rejects.toThrow(CheckpointError);
  }
  await expect(parse({}, mistral, { eos_token_id: "2" })).rejects.toThrow(
    /generation_config\.json: eos_token_id/,
  );
});

test("any JSON in any field is read, or refused with a message: never a TypeError", async () => {
  const values = [
    null,
    true,
    0,
    -1,
    0.5,
    1e308,
    "",
    "silu",
    [],
    [[]],
    {},
    { type: {} },
    { rope_type: 1 },
    JSON.parse('{"__proto__":null}'),
  ];
  const fields = [
    ...Object.keys(mistral),
    "head_dim",
    "rope_scaling",
    "rope_parameters",
    "layer_types",
    "attention_bias",
    "quantization_config",
  ];
  for (const field of fields) {
    for (const value of values) {
      try {
        await parse({ [field]: value });
      } catch (error) {
        expect(error, `${field}: ${JSON.stringify(value)}`).toBeInstanceOf(CheckpointError);
      }
    }
  }
});
