// Broken GGUF files of every known kind. Each must be refused, naming the file, and the tensor or key.
import {
  bool,
  f32,
  type GgufToWrite,
  i32,
  list,
  smallGguf,
  type TensorToWrite,
  type Typed,
  text,
  u16,
  u32,
  u64,
  writeGguf,
} from "./gguf-file.ts";
import type { Files } from "./memory-source.ts";

export interface BrokenGguf {
  readonly name: string;
  readonly files: () => Files;
  /** What the message must match. */
  readonly expect: RegExp;
}

const FILE = "model.gguf";
const UP = "blk.0.ffn_up.weight";

/** The bytes of the small model after a change of what is written. */
const made = (change: (file: GgufToWrite) => void): Uint8Array => {
  const file = smallGguf();
  change(file);
  return writeGguf(file);
};

const broken = (name: string, expect: RegExp, change: (file: GgufToWrite) => void): BrokenGguf => ({
  ...{ name, expect },
  files: () => ({ [FILE]: made(change) }),
});

/** Changes the bytes of the right file. */
const bytes = (name: string, expect: RegExp, change: (file: Uint8Array) => Uint8Array): BrokenGguf => ({
  ...{ name, expect },
  files: () => ({ [FILE]: change(made(() => {})) }),
});

const tensor =
  (name: string, change: (tensor: TensorToWrite) => void) =>
  ({ tensors }: GgufToWrite): void =>
    change(tensors.find((each) => each.name === name)!);

/** Adds a key, or replaces it. */
export const key =
  (name: string, value: Typed) =>
  (file: GgufToWrite): void => {
    file.pairs = [...file.pairs.filter(([other]) => other !== name), [name, value]];
  };

const without =
  (name: string) =>
  (file: GgufToWrite): void => {
    file.pairs = file.pairs.filter(([other]) => other !== name);
    file.tensors = file.tensors.filter((each) => each.name !== name);
  };

/** A list whose number of elements is another than it has. */
const listOf = (count: bigint, type: number, content: Uint8Array): Typed => ({
  type: 9,
  bytes: new Uint8Array(Buffer.concat([u32(type).bytes, u64(count).bytes, content])),
});

/** Lists in lists. */
const deep = (levels: number): Typed => (levels === 0 ? list([u32(1)]) : list([deep(levels - 1)]));

/** Two parts, then changed. */
const split = (
  name: string,
  expect: RegExp,
  change: (parts: [GgufToWrite, GgufToWrite], files: Files) => void,
): BrokenGguf => ({
  ...{ name, expect },
  files: () => {
    const [first, second] = [smallGguf(), smallGguf()];
    second.tensors = first.tensors.splice(6);
    second.pairs = [];
    const count = first.tensors.length + second.tensors.length;
    for (const [i, part] of [first, second].entries()) {
      key("split.no", u16(i))(part);
      key("split.count", u16(2))(part);
      key("split.tensors.count", i32(count))(part);
    }
    const files: Files = {};
    change([first, second], files);
    const names = ["model-00001-of-00002.gguf", "model-00002-of-00002.gguf"];
    for (const [i, part] of [first, second].entries()) files[names[i]!] ??= writeGguf(part);
    for (const [file, content] of Object.entries(files))
      if (content !== "directory" && content.length === 0) delete files[file];
    return files;
  },
});

export const brokenGgufs: readonly BrokenGguf[] = [
  // The file.
  bytes("an empty file", /^model\.gguf: .*got 0 bytes/, () => new Uint8Array()),
  bytes("a file of 23 bytes", /got 23 bytes/, (file) => file.subarray(0, 23)),
  broken("another magic", /a GGUF file, got "GGML/, (file) => {
    file.magic = "GGML";
  }),
  bytes("a web page", /a GGUF file, got an HTML/, () =>
    new TextEncoder().encode(`<!DOCTYPE html>${" ".repeat(99)}`),
  ),
  bytes("a Git LFS pointer", /got a Git LFS pointer/, () =>
    new TextEncoder().encode(`version https://git-lfs.github.com/spec/v1 ${" ".repeat(99)}`),
  ),
  broken("an adapter", /^model\.gguf: expected a model, got an adapter \(LoRA\)\. Merge/, (file) => {
    key("general.type", text("adapter"))(file);
    key("adapter.type", text("lora"))(file);
    for (const each of file.tensors) each.name += ".lora_a";
  }),
  broken("a projector of images", /expected a model, got a projector of images\. Name/, (file) => {
    key("general.type", text("mmproj"))(file);
    key("general.architecture", text("clip"))(file);
  }),
  broken(
    "an older projector",
    /expected a model, got a projector/,
    key("general.architecture", text("clip")),
  ),
  broken("an importance matrix", /expected a model, got an importance matrix/, (file) => {
    file.pairs = [["general.type", text("imatrix")]];
  }),
  {
    name: "nothing but a projector in the folder",
    files: () => ({
      "mmproj-model-f16.gguf": made(key("general.architecture", text("clip"))),
    }),
    expect: /^mmproj-model-f16\.gguf: expected a model, got a projector/,
  },
  broken("version 1", /version 2 or 3, got version 1\./, (file) => {
    file.version = 1;
  }),
  broken("version 4", /got version 4\./, (file) => {
    file.version = 4;
  }),
  broken("a big-endian file", /got a big-endian file/, (file) => {
    file.version = 3 * 2 ** 24;
  }),
  broken("2^60 tensors", /model\.gguf: expected a number of tensors below 2\^53/, (file) => {
    file.tensorCount = 2n ** 60n;
  }),
  broken("a million tensors", /at most \d+ tensors in the rest of the file, got 1000000/, (file) => {
    file.tensorCount = 1_000_000n;
  }),
  broken("a million keys", /at most \d+ keys in the rest of the file, got 1000000/, (file) => {
    file.pairCount = 1_000_000n;
  }),
  broken("one key more than there are", /model\.gguf: /, (file) => {
    file.pairCount = BigInt(file.pairs.length + 1);
  }),
  broken("one tensor more than there are", /model\.gguf: "": expected 1 to 4 dimensions/, (file) => {
    file.tensorCount = 13n;
  }),
  bytes("cut off in the keys", /tokenizer\.ggml\.tokens: expected at most \d+ elements/, (file) =>
    file.subarray(0, 600),
  ),
  bytes("cut off in the data", /output\.weight: expected a file of \d+ bytes, got/, (file) =>
    file.subarray(0, file.length - 64),
  ),
  // Keys.
  broken("a key twice", /llama\.block_count: expected a key once/, (file) =>
    file.pairs.push(["llama.block_count", u32(1)]),
  ),
  broken("a key that is no UTF-8", /key 1 of 15: expected UTF-8 text/, (file) =>
    file.pairs.unshift([new Uint8Array([0x61, 0xff]), u32(1)]),
  ),
  broken("a key of 70,000 bytes", /key 15 of 15: expected a text of at most 65535 bytes/, (file) =>
    file.pairs.push(["k".repeat(70_000), u32(1)]),
  ),
  broken(
    "a value of an unknown type",
    /"?odd\.value"?: expected a type of value from 0 to 12, got 13/,
    (file) => file.pairs.push(["odd.value", { type: 13, bytes: new Uint8Array(8) }]),
  ),
  broken("a truth value of 2", /tokenizer\.ggml\.add_bos_token: expected true or false/, (file) =>
    file.pairs.push(["tokenizer.ggml.add_bos_token", bool(2)]),
  ),
  broken("a text longer than the file", /general\.name: expected at most \d+ bytes of text/, (file) =>
    file.pairs.push(["general.name", { type: 8, bytes: u64(2 ** 40).bytes }]),
  ),
  broken("a text of invalid UTF-8", /general\.name: expected UTF-8 text/, (file) =>
    file.pairs.push(["general.name", text(new Uint8Array([0xc3, 0x28]))]),
  ),
  broken("a list longer than the file", /a\.list: expected at most \d+ elements/, (file) =>
    file.pairs.push(["a.list", listOf(2n ** 40n, 4, new Uint8Array(8))]),
  ),
  broken("a list of an unknown type", /a\.list: expected a type of elements from 0 to 12, got 77/, (file) =>
    file.pairs.push(["a.list", listOf(1n, 77, new Uint8Array(8))]),
  ),
  broken("lists five deep", /a\.list: expected arrays at most 4 deep/, (file) =>
    file.pairs.push(["a.list", deep(4)]),
  ),
  broken(
    "an alignment of 0",
    /general\.alignment: expected a multiple of 8.*got 0\./,
    key("general.alignment", u32(0)),
  ),
  broken("an alignment of 12", /general\.alignment: .*got 12\./, key("general.alignment", u32(12))),
  // Tensors.
  broken(
    "a tensor twice",
    /blk\.0\.ffn_up\.weight: expected a tensor once/,
    tensor("output.weight", (each) => {
      each.name = UP;
    }),
  ),
  broken(
    "a name of 65 bytes",
    /tensor 1 of 12: expected a text of at most 64 bytes/,
    tensor("token_embd.weight", (each) => {
      each.name = "n".repeat(65);
    }),
  ),
  broken(
    "no dimensions",
    /ffn_up\.weight: expected 1 to 4 dimensions, got 0/,
    tensor(UP, (each) => {
      each.dims = [];
    }),
  ),
  broken(
    "five dimensions",
    /ffn_up\.weight: expected 1 to 4 dimensions, got 5/,
    tensor(UP, (each) => {
      each.dims = [32, 64, 1, 1, 1];
    }),
  ),
  broken(
    "a dimension of 0",
    /ffn_up\.weight: expected dimensions from 1 on/,
    tensor(UP, (each) => {
      each.dims = [32, 0];
    }),
  ),
  broken(
    "a dimension past 2^53",
    /ffn_up\.weight: expected a dimension below 2\^53/,
    tensor(UP, (each) => {
      each.dims = [32, 2n ** 60n];
    }),
  ),
  broken(
    "dimensions that overflow",
    /ffn_up\.weight: .*product below 2\^53/,
    tensor(UP, (each) => {
      each.dims = [2 ** 30, 2 ** 30];
    }),
  ),
  broken(
    "rows that are not whole blocks",
    /ffn_up\.weight: expected rows of a multiple of 32 weights in Q8_0, got 48/,
    tensor(UP, (each) => {
      each.dims = [48, 64];
    }),
  ),
  broken(
    "rows of 32 in a type of 256",
    /ffn_up\.weight: expected rows of a multiple of 256 weights in Q4_K, got 32/,
    tensor(UP, (each) => {
      each.type = 12;
    }),
  ),
  broken(
    "an offset past the end",
    /ffn_up\.weight: expected a file of/,
    tensor(UP, (each) => {
      each.offset = 2 ** 40;
    }),
  ),
  broken(
    "an offset past 2^53",
    /ffn_up\.weight: expected an offset below 2\^53/,
    tensor(UP, (each) => {
      each.offset = 2n ** 63n;
    }),
  ),
  broken(
    "an offset between the alignments",
    /ffn_up\.weight: expected an offset that is a multiple of 32, got 8/,
    tensor(UP, (each) => {
      each.offset = 8;
    }),
  ),
  broken(
    "tensors over each other",
    /ffn_up\.weight: expected data from byte \d+ on, got 0: an overlap/,
    tensor(UP, (each) => {
      each.offset = 0;
    }),
  ),
  // What the graph needs.
  broken(
    "a tensor missing",
    /model\.gguf: blk\.0\.ffn_up\.weight: expected a tensor \[64,32\], got none/,
    without(UP),
  ),
  broken(
    "a matrix transposed",
    /ffn_up\.weight: expected shape \[64,32\], got \[32,64\]/,
    tensor(UP, (each) => {
      each.dims.reverse();
    }),
  ),
  broken(
    "a type of 3 bits",
    /ffn_up\.weight: expected a type of .*Q6_K, got IQ4_NL.*such as Q4_K_M/,
    tensor(UP, (each) => {
      each.type = 20;
    }),
  ),
  broken(
    "a type that nobody knows",
    /ffn_up\.weight: .*got type 999/,
    tensor(UP, (each) => {
      each.type = 999;
    }),
  ),
  broken(
    "a quantised vector",
    /output_norm\.weight: expected a type of F32, F16, BF16, got Q8_0/,
    tensor("output_norm.weight", (each) => {
      each.type = 8;
    }),
  ),
  broken("a bias", /blk\.0\.attn_q\.bias: expected no tensor of this name/, ({ tensors }) => {
    tensors.push({ name: "blk.0.attn_q.bias", dims: [32], type: 0, bytes: new Uint8Array(128) });
  }),
  broken("a second layer", /blk\.1\.ffn_up\.weight: expected 1 layers/, ({ tensors }) => {
    tensors.push({ name: "blk.1.ffn_up.weight", dims: [32], type: 0, bytes: new Uint8Array(128) });
  }),
  broken("experts", /llama\.expert_count: expected 0, got 8/, key("llama.expert_count", u32(8))),
  broken(
    "RoPE divisors of another rule",
    /rope_freqs\.weight: expected divisors as Llama 3/,
    ({ tensors }) => {
      const bytes = new Uint8Array(new Float32Array([1, 5, 2, 7, 1, 1, 3, 9]).buffer);
      tensors.push({ name: "rope_freqs.weight", dims: [8], type: 0, bytes });
    },
  ),
  broken("RoPE divisors of another width", /rope_freqs\.weight: expected F32 \[8\]/, ({ tensors }) => {
    tensors.push({ name: "rope_freqs.weight", dims: [3], type: 0, bytes: new Uint8Array(12) });
  }),
  // The config.
  broken("no architecture", /general\.architecture: .*got nothing/, without("general.architecture")),
  broken(
    "another architecture",
    /general\.architecture: .*got "gemma3"/,
    key("general.architecture", text("gemma3")),
  ),
  broken(
    "no number of layers",
    /llama\.block_count: expected a number, got nothing/,
    without("llama.block_count"),
  ),
  broken(
    "a number of layers that is a text",
    /llama\.block_count: expected a number/,
    key("llama.block_count", text("one")),
  ),
  broken(
    "2^32 - 1 layers",
    /num_hidden_layers: .*got 4294967295/,
    key("llama.block_count", u32(2 ** 32 - 1)),
  ),
  broken(
    "other key heads in each layer",
    /llama\.attention\.head_count_kv: .*the same in all layers/,
    key("llama.attention.head_count_kv", list([u32(1), u32(2)])),
  ),
  broken(
    "values narrower than keys",
    /llama\.attention\.value_length: expected 16/,
    key("llama.attention.value_length", u32(8)),
  ),
  broken(
    "RoPE on a part of a head",
    /llama\.rope\.dimension_count: expected 16/,
    key("llama.rope.dimension_count", u32(8)),
  ),
  ...(
    [
      ["queries scaled by position in a llama", "attention.temperature_scale", 0.1],
      ["logits that are capped", "final_logit_softcapping", 30],
      ["a factor of YaRN's magnitude", "rope.scaling.yarn_attn_factor", 1.5],
    ] as const
  ).map(([name, field, value]) =>
    broken(
      name,
      new RegExp(`llama\\.${field.replaceAll(".", "\\.")}: expected [01], got`),
      key(`llama.${field}`, f32(value)),
    ),
  ),
  broken(
    "YaRN that is mixed in part",
    /llama\.rope\.scaling\.yarn_ext_factor: expected 1, got 0\.5/,
    (file) => {
      key("llama.rope.scaling.type", text("yarn"))(file);
      key("llama.rope.scaling.factor", f32(4))(file);
      key("llama.rope.scaling.yarn_ext_factor", f32(0.5))(file);
    },
  ),
  broken("an unknown scaling of RoPE", /llama\.rope\.scaling\.type: .*got "longrope"/, (file) => {
    key("llama.rope.scaling.type", text("longrope"))(file);
    key("llama.rope.scaling.factor", f32(4))(file);
  }),
  broken(
    "queries scaled without YaRN",
    /mistral3\.attention\.temperature_scale: expected 0 without YaRN/,
    (file) => {
      file.pairs = file.pairs.map(([name, value]) => [String(name).replace(/^llama\./, "mistral3."), value]);
      key("general.architecture", text("mistral3"))(file);
      key("mistral3.attention.temperature_scale", f32(0.1))(file);
    },
  ),
  // Parts.
  split(
    "a part missing",
    /model-00002-of-00002\.gguf: expected a GGUF file, got no such file/,
    (_, files) => {
      files["model-00002-of-00002.gguf"] = new Uint8Array();
    },
  ),
  split("the same part twice", /model-00002-of-00002\.gguf: split\.no: expected 1/, ([first], files) => {
    files["model-00002-of-00002.gguf"] = writeGguf(first);
  }),
  split(
    "a tensor in both parts",
    /model-00002-of-00002\.gguf: token_embd\.weight: expected one copy/,
    ([first, second]) => {
      second.tensors.push(first.tensors[0]!);
    },
  ),
  split(
    "fewer tensors than the first part says",
    /split\.tensors\.count: expected 11, as stored, got 12/,
    ([, second]) => {
      second.tensors.pop();
    },
  ),
  {
    name: "a part under the name of a whole file",
    expect: /model\.gguf: split\.count: expected 1, as the name/,
    files: () => ({ [FILE]: made(key("split.count", u16(2))) }),
  },
];
