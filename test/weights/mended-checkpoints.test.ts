// Checkpoints that other programs load: leftover files, and fields that contradict the tensors.
import { expect, test } from "vitest";
import { CheckpointError, openCheckpoint, readJson, readText } from "../../weights/index.ts";
import { type Files, filesOf, join, memorySource, split } from "./memory-source.ts";

const ONE = "test/golden/families/gqa_4x2";
const TWO = "test/golden/families/two_shards";
const TIED = "test/golden/families/tied";
const FILE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const FIRST = "model-00001-of-00002.safetensors";
const SECOND = "model-00002-of-00002.safetensors";
const EMBED = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

type Json = Record<string, unknown>;
const text = (value: string | object) =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const read = (bytes: Uint8Array | "directory" | undefined) => new TextDecoder().decode(bytes as Uint8Array);
const config = (files: Files, fields: Json) => {
  files["config.json"] = text({ ...JSON.parse(read(files["config.json"])), ...fields });
};
const spell = (files: Files, change: (json: string) => string) => {
  files["config.json"] = text(change(read(files["config.json"])));
};
const index = (files: Files, change: (map: Json, all: Json) => void) => {
  const all = JSON.parse(read(files[INDEX]));
  change(all.weight_map, all);
  files[INDEX] = text(all);
};
const header = (files: Files, change: (json: string) => string | Uint8Array) => {
  const parts = split(files[FILE] as Uint8Array);
  files[FILE] = join(change(parts.header), parts.data);
};
/** Adds a tensor after the others. */
const add = (files: Files, name: string, dtype: string, shape: number[], data: Uint8Array, file = FILE) => {
  const parts = split(files[file] as Uint8Array);
  const entries = JSON.parse(parts.header);
  entries[name] = { dtype, shape, data_offsets: [parts.data.length, parts.data.length + data.length] };
  files[file] = join(JSON.stringify(entries), new Uint8Array([...parts.data, ...data]));
};
const open = (files: Files) => openCheckpoint(memorySource(files));
const changed = (folder: string, change: (files: Files) => void): Files => {
  const files: Files = filesOf(folder);
  change(files);
  return files;
};

const loads: [name: string, folder: string, change: (files: Files) => void][] = [
  ["no architectures, with model_type", ONE, (f) => config(f, { architectures: null })],
  [
    "a quantization_config left behind",
    ONE,
    (f) => config(f, { quantization_config: { quant_method: "fp8" } }),
  ],
  ["a key twice", ONE, (f) => spell(f, (json) => json.replace("{", '{"vocab_size": 7,'))],
  [
    "Infinity, -Infinity and NaN",
    ONE,
    (f) => spell(f, (json) => json.replace("{", '{"a":Infinity,"b":[-Infinity,NaN],"c":"NaN",')),
  ],
  ["eos_token_id: -1", ONE, (f) => config(f, { eos_token_id: -1 })],
  ["a byte order mark before config.json", ONE, (f) => spell(f, (json) => `\ufeff${json}`)],
  ["a header with blanks before and after", ONE, (f) => header(f, (json) => `\t\n\r ${json} \n`)],
  [
    "a stale index beside model.safetensors",
    ONE,
    (f) => Object.assign(f, { [INDEX]: text({ weight_map: { [EMBED]: FIRST } }) }),
  ],
  [
    "an index whose shards lack tensors, beside model.safetensors",
    ONE,
    (f) => {
      Object.assign(f, { [FIRST]: filesOf(TWO)[FIRST], [INDEX]: text({ weight_map: { [EMBED]: FIRST } }) });
    },
  ],
  [
    "a damaged index beside model.safetensors",
    ONE,
    (f) => Object.assign(f, { [INDEX]: text({ weight_map: { [EMBED]: 1 } }) }),
  ],
  [
    "an invalid index beside model.safetensors",
    ONE,
    (f) => Object.assign(f, { [INDEX]: new TextEncoder().encode("{oops") }),
  ],
  [
    "an unused table of RoPE",
    ONE,
    (f) => add(f, "model.layers.0.self_attn.rotary_emb.inv_freq", "F32", [4], new Uint8Array(16)),
  ],
  [
    "a tensor of another program, in an unknown dtype",
    ONE,
    (f) => add(f, "v_head.x", "F8_E3M4FNUZ", [3], new Uint8Array(7)),
  ],
  [
    "an index line for a tensor that does not exist",
    TWO,
    (f) => index(f, (map) => Object.assign(map, { "model.layers.0.self_attn.rotary_emb.inv_freq": FIRST })),
  ],
  [
    "an index line for a file that does not exist",
    TWO,
    (f) =>
      index(f, (map) =>
        Object.assign(map, { "model.rotary_emb.inv_freq": "model-00003-of-00003.safetensors" }),
      ),
  ],
  [
    "an index that misplaces a tensor",
    TWO,
    (f) => index(f, (map) => Object.assign(map, { [EMBED]: SECOND })),
  ],
  ["an index without metadata", TWO, (f) => index(f, (_, all) => delete all["metadata"])],
  [
    "an index with ./",
    TWO,
    (f) => index(f, (map) => Object.assign(map, { [EMBED]: `./${FIRST}`, [HEAD]: `././${SECOND}` })),
  ],
  [
    "other indexes and consolidated files beside",
    TWO,
    (f) => {
      Object.assign(f, {
        "consolidated.safetensors": text("x"),
        "model.safetensors.index.fp32.json": text("x"),
        "consolidated.safetensors.index.json": text("x"),
      });
    },
  ],
  [
    "a tensor in both shards, one of them named by the index",
    TWO,
    (f) => add(f, EMBED, "BF16", [96, 32], new Uint8Array(6144), SECOND),
  ],
  ["shards that lost their index", TWO, (f) => delete f[INDEX]],
];

test.each(loads)("%s: loads", async (_, folder, change) => {
  const { tensors, config, parameters } = await open(changed(folder, change));
  const whole = await open(filesOf(folder));
  expect([...tensors.keys()].sort()).toEqual([...whole.tensors.keys()].sort());
  expect({ ...config, eosTokenIds: [] }).toEqual({ ...whole.config, eosTokenIds: [] });
  expect(parameters).toBe(whole.parameters);
  for (const [name, { file }] of whole.tensors) expect(tensors.get(name)?.file, name).toBe(file);
});

test("text files beside the weights are checked as strictly", async () => {
  const bad = new Uint8Array([0x7b, 0xff]);
  const source = memorySource({
    "a.json": text('\ufeff{"a":1,"a":Infinity}'),
    "a.jinja": text("\ufeff{{ x }}"),
    bad,
    "deep.json": text(deep(6000)),
    "pointer.jinja": text("version https://git-lfs.github.com/spec/v1\n"),
  });
  expect(await readJson(source, "a.json")).toEqual({ a: Infinity });
  expect(await readText(source, "a.jinja")).toBe("{{ x }}");
  expect(await readText(source, "none")).toBeUndefined();
  await expect(readText(source, "bad")).rejects.toThrow(
    /^bad: expected UTF-8 text, got other bytes at offset 1/,
  );
  await expect(readJson(source, "deep.json")).rejects.toThrow(
    /^deep\.json: expected JSON nested at most 128/,
  );
  await expect(readText(source, "pointer.jinja")).rejects.toThrow(/got a Git LFS pointer/);
});

test("a stored lm_head is used, whatever the flag says; its shape and dtype are checked", async () => {
  const whole = await open(filesOf(TIED));
  const { V, D } = whole.config;
  const own = await open(changed(TIED, (f) => add(f, HEAD, "BF16", [V, D], new Uint8Array(V * D * 2))));
  expect(own.config).toEqual({ ...whole.config, tied: false });
  expect(own.tensors.has(HEAD)).toBe(true);
  expect([own.parameters - whole.parameters, own.bytes - whole.bytes]).toEqual([V * D, 2 * V * D]);
  const refused: [shape: number[], dtype: string, bytes: number, words: RegExp][] = [
    [[V - 1, D], "BF16", (V - 1) * D * 2, /lm_head\.weight: expected shape/],
    [[V, D], "I8", V * D, /lm_head\.weight: expected dtype/],
  ];
  for (const [shape, dtype, bytes, words] of refused) {
    await expect(
      open(changed(TIED, (f) => add(f, HEAD, dtype, shape, new Uint8Array(bytes)))),
    ).rejects.toThrow(words);
  }
});

const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const refused: [name: string, folder: string, expected: RegExp, change: (files: Files) => void][] = [
  [
    "a bias of a tied head",
    TIED,
    /lm_head\.bias: expected no bias/,
    (f) => add(f, "lm_head.bias", "BF16", [4], new Uint8Array(8)),
  ],
  [
    "a head under another name",
    TIED,
    /x\.lm_head\.weight: expected no tensor/,
    (f) => add(f, "x.lm_head.weight", "BF16", [4], new Uint8Array(8)),
  ],
  [
    "a norm of queries",
    ONE,
    /q_norm\.weight: expected no tensor of this name/,
    (f) => add(f, "model.layers.0.self_attn.q_norm.weight", "BF16", [8], new Uint8Array(16)),
  ],
  [
    "a scale beside a plain matrix",
    ONE,
    /weight_scale: expected no tensor/,
    (f) => add(f, "model.layers.0.mlp.up_proj.weight_scale", "F32", [1], new Uint8Array(4)),
  ],
  [
    "more layers than config.json says",
    ONE,
    /layers\.1\.\S+: expected 1 layers, as config\.json says/,
    (f) => config(f, { num_hidden_layers: 1 }),
  ],
  [
    "tensors under another prefix",
    ONE,
    /embed_tokens\.weight: .*got it as base_model\.model\./,
    (f) => header(f, (json) => json.replaceAll('"model.', '"base_model.model.model.')),
  ],
  [
    "quantised tensors",
    ONE,
    /quantization_config: quant_method: expected one of gptq, .*, got "bitsandbytes" \(.*F8_E4M3/,
    (f) => {
      config(f, { quantization_config: { quant_method: "bitsandbytes" } });
      header(f, (json) =>
        json.replace(
          /("model\.layers\.0\.mlp\.up_proj\.weight":\{"dtype":)"BF16","shape":\[64,32\]/,
          '$1"F8_E4M3","shape":[64,64]',
        ),
      );
    },
  ],
  [
    "a dtype of AMD's",
    ONE,
    /embed_tokens\.weight: expected dtype .*, got F8_E4M3FNUZ\. Choose/,
    (f) =>
      header(f, (json) =>
        json.replace(
          /("model\.embed_tokens\.weight":\{"dtype":)"BF16","shape":\[96,32\]/,
          '$1"F8_E4M3FNUZ","shape":[192,32]',
        ),
      ),
  ],
  [
    "config.json 6,000 deep",
    ONE,
    /config\.json: expected JSON nested at most 128 deep, got 6000/,
    (f) => Object.assign(f, { "config.json": text(deep(6000)) }),
  ],
  [
    "a field of config.json 6,000 deep",
    ONE,
    /config\.json: expected JSON nested at most 128/,
    (f) => spell(f, (json) => json.replace("{", `{"hidden_act":${"[".repeat(6000)}${"]".repeat(6000)},`)),
  ],
  [
    "a header 6,000 deep",
    ONE,
    /model\.safetensors: expected JSON nested at most 128/,
    (f) => header(f, () => deep(6000)),
  ],
  [
    "an index 6,000 deep",
    TWO,
    /index\.json: expected JSON nested at most 128/,
    (f) => Object.assign(f, { [INDEX]: text(deep(6000)) }),
  ],
  [
    "bad UTF-8",
    ONE,
    /config\.json: expected UTF-8 text, got other bytes at offset 2\. Fetch/,
    (f) => Object.assign(f, { "config.json": new Uint8Array([0x7b, 0x22, 0xc3, 0x28, 0x22]) }),
  ],
  [
    "UTF-16",
    ONE,
    /config\.json: expected UTF-8 text, got UTF-16/,
    (f) => Object.assign(f, { "config.json": new Uint8Array(Buffer.from("\ufeff{}", "utf16le")) }),
  ],
  [
    "Git LFS pointers",
    ONE,
    /model\.safetensors: expected a safetensors file, got a Git LFS pointer\. Run "git lfs pull"/,
    (f) => {
      f[FILE] = text(`version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 1\n`);
    },
  ],
  [
    "a Git LFS pointer in place of JSON",
    ONE,
    /config\.json: expected text, got a Git LFS pointer/,
    (f) => {
      f["config.json"] = text(
        `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 1\n`,
      );
    },
  ],
  [
    "GGUF under another name",
    ONE,
    /model\.safetensors: expected a safetensors file, got a GGUF file/,
    (f) => Object.assign(f, { [FILE]: text("GGUF\u0003\0\0\0 and so on") }),
  ],
  [
    "only an adapter",
    ONE,
    /config\.json: .*only an adapter \("adapter_config\.json"\)\. Load its base/,
    (f) => {
      delete f["config.json"];
      f["adapter_config.json"] = text("{}");
    },
  ],
  [
    "only Mistral's own format",
    ONE,
    /config\.json: .*Mistral's own format \("params\.json"\)/,
    (f) => {
      delete f["config.json"];
      f["params.json"] = text("{}");
    },
  ],
  [
    "only PyTorch weights",
    ONE,
    /model\.safetensors: .*PyTorch weights \("pytorch_model-00001-of-00002\.bin"\)\. Save them/,
    (f) => {
      delete f[FILE];
      f["pytorch_model-00001-of-00002.bin"] = text("x");
    },
  ],
  [
    "only a damaged GGUF file",
    ONE,
    /^a\.Q4_0\.gguf: expected a GGUF file, got 1 bytes/,
    (f) => {
      delete f[FILE];
      f["a.Q4_0.gguf"] = text("x");
    },
  ],
  [
    "an index path that leads out",
    TWO,
    /same folder, got "\.\/\.\.\/x/,
    (f) => index(f, (map) => Object.assign(map, { [EMBED]: "./../x.safetensors" })),
  ],
  [
    "an absolute index path",
    TWO,
    /same folder, got "\/x/,
    (f) => index(f, (map) => Object.assign(map, { [EMBED]: "/x.safetensors" })),
  ],
];

test.each(refused)("%s: refused", async (_, folder, words, change) => {
  const error = await open(changed(folder, change)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toMatch(words);
  expect((error as Error).message.length).toBeLessThan(600);
});

test("weights under another name, beside an adapter", async () => {
  const name = "gptq_model-4bit-128g.safetensors";
  const files = changed(ONE, (f) => {
    f[name] = f[FILE] as Uint8Array;
    f["adapter_model.safetensors"] = text("{}");
    delete f[FILE];
  });
  expect(new Set([...(await open(files)).tensors.values()].map(({ file }) => file))).toEqual(new Set([name]));
  // Of two such files, nothing says which one is meant.
  await expect(open({ ...files, "other.safetensors": files[name]! })).rejects.toThrow(
    /^model\.safetensors: /,
  );
});
