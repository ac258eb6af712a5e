// Broken checkpoints of every known kind. Each must be refused, naming file and tensor.
import { formatsOf, packedMetadata, packedTensors, parseConfig, writeHeader } from "../../weights/index.ts";
import { type Files, filesOf, join, split } from "./memory-source.ts";

export interface BrokenCheckpoint {
  readonly name: string;
  /** Makes the files of the broken checkpoint. */
  readonly files: () => Files;
  /** What the message must match. */
  readonly expect: RegExp;
}

interface Entry {
  dtype: unknown;
  shape: unknown;
  data_offsets: [number, number];
}

const ONE = "test/golden/families/gqa_4x2";
const TWO = "test/golden/families/two_shards";
const FILE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const EMBED = "model.embed_tokens.weight";
const DOWN = "model.layers.1.mlp.down_proj.weight";
const FIRST_SHARD = "model-00001-of-00002.safetensors";
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const bytes = (files: Files, name: string): Uint8Array => {
  const file = files[name];
  if (!(file instanceof Uint8Array)) throw new Error(`no ${name} to break`);
  return file;
};

type Break = (files: Files) => void;

const broken = (name: string, expect: RegExp, change: Break, folder = ONE): BrokenCheckpoint => ({
  name,
  expect,
  files: () => {
    const files: Files = filesOf(folder);
    change(files);
    return files;
  },
});

/** Changes the JSON of a file. */
const json = (file: string, change: (value: Record<string, unknown>) => void): Break => {
  return (files) => {
    const value = JSON.parse(new TextDecoder().decode(bytes(files, file)));
    change(value);
    files[file] = text(JSON.stringify(value));
  };
};

const config = (fields: Record<string, unknown>): Break =>
  json("config.json", (value) => Object.assign(value, fields));

/** Changes one tensor's entry in the header, and keeps the data. */
const entry = (tensor: string, change: (entry: Entry, entries: Record<string, Entry>) => void): Break => {
  return (files) => {
    const { header, data } = split(bytes(files, FILE));
    const entries = JSON.parse(header);
    change(entries[tensor], entries);
    files[FILE] = join(JSON.stringify(entries), data);
  };
};

/** Changes the header's text, and keeps the data. */
const header = (change: (text: string) => string | Uint8Array): Break => {
  return (files) => {
    const parts = split(bytes(files, FILE));
    files[FILE] = join(change(parts.header), parts.data);
  };
};

const index = (change: (map: Record<string, unknown>, all: Record<string, unknown>) => void): Break =>
  json(INDEX, (value) => change(value["weight_map"] as Record<string, unknown>, value));

const sizes = await parseConfig(new TextDecoder().decode(bytes(filesOf(ONE), "config.json")));

/** A valid packed checkpoint of zeros, then changed by `change`. */
const packed = (
  change: (tensors: { name: string; dtype: "F32" | "U32"; shape: readonly number[] }[]) => void,
  metadata: Record<string, string> = { ...packedMetadata("q4") },
): Break => {
  return (files) => {
    const tensors = packedTensors(sizes, formatsOf("q4", sizes)).map(({ name, shape, dtype }) => {
      return { name, shape, dtype: dtype === "U32" ? ("U32" as const) : ("F32" as const) };
    });
    change(tensors);
    const head = writeHeader(tensors, metadata);
    const file = new Uint8Array(head.fileBytes);
    file.set(head.bytes);
    files[FILE] = file;
  };
};

export const brokenCheckpoints: readonly BrokenCheckpoint[] = [
  // Files.
  broken("no config.json", /config\.json: .*no such file/, (files) => delete files["config.json"]),
  broken("config.json is a directory", /config\.json: .*a directory/, (files) => {
    files["config.json"] = "directory";
  }),
  broken("no weights at all", /model\.safetensors: .*no such file/, (files) => delete files[FILE]),
  broken("weights are a directory", /model\.safetensors: .*a directory/, (files) => {
    files[FILE] = "directory";
  }),
  broken(
    "only consolidated.safetensors",
    /model\.safetensors: .*Mistral's own format \("consolidated/,
    (files) => {
      files["consolidated.safetensors"] = bytes(files, FILE);
      delete files[FILE];
    },
  ),
  broken("an empty file", /model\.safetensors: .*got 0 bytes/, (files) => {
    files[FILE] = new Uint8Array();
  }),
  broken("a file of seven bytes", /model\.safetensors: .*got 7 bytes/, (files) => {
    files[FILE] = bytes(files, FILE).subarray(0, 7);
  }),
  broken("truncated in the header", /model\.safetensors: .*a header of \d+ bytes/, (files) => {
    files[FILE] = bytes(files, FILE).subarray(0, 500);
  }),
  broken("truncated in the data", /model\.safetensors: lm_head\.weight: .*within/, (files) => {
    files[FILE] = bytes(files, FILE).slice(0, -1);
  }),
  broken("a byte too many", /model\.safetensors: lm_head\.weight, the last tensor: .*to end/, (files) => {
    const file = bytes(files, FILE);
    files[FILE] = join(split(file).header, new Uint8Array([...split(file).data, 0]));
  }),
  broken("a web page in place of the weights", /model\.safetensors: .*got an HTML or XML page/, (files) => {
    files[FILE] = text("<!doctype html><html><body>Sign in</body></html>");
  }),
  // Header.
  broken("a header of 2^63 bytes", /model\.safetensors: .*9223372036854775808/, (files) => {
    const { header, data } = split(bytes(files, FILE));
    files[FILE] = join(header, data, 2n ** 63n);
  }),
  broken("a header past 2^53", /model\.safetensors: .*9007199254740993/, (files) => {
    const { header, data } = split(bytes(files, FILE));
    files[FILE] = join(header, data, 2n ** 53n + 1n);
  }),
  broken("a header of no bytes", /model\.safetensors: .*"\{"/, (files) => {
    files[FILE] = join("", split(bytes(files, FILE)).data);
  }),
  broken(
    "a header full of NaN",
    /model\.safetensors: .*"\{"/,
    header((t) => new Uint8Array(t.length).fill(0xff)),
  ),
  broken(
    "a header full of the word NaN",
    /model\.safetensors: .*JSON/,
    header(() => '{"a":NaN}'.padEnd(64)),
  ),
  broken(
    "a header that is not UTF-8",
    /model\.safetensors: .*UTF-8/,
    header((t) => Uint8Array.from(text(t), (b, i) => (i === 5 ? 0xff : b))),
  ),
  broken(
    "a header that begins with a byte order mark",
    /model\.safetensors: .*"\{"/,
    header((t) => `\ufeff${t}`),
  ),
  broken(
    "a header that is an array",
    /model\.safetensors: .*"\{"/,
    header(() => "[1,2,3,4]"),
  ),
  broken(
    "a header cut in the middle",
    /model\.safetensors: .*JSON/,
    header((t) => t.slice(0, 200)),
  ),
  broken(
    "two headers",
    /model\.safetensors: .*JSON/,
    header((t) => t + t),
  ),
  broken(
    "a tensor named twice",
    /model\.safetensors: .*model\.norm\.weight once/,
    header((t) => t.replace(/("model\.norm\.weight":\{[^}]*\})/, "$1,$1")),
  ),
  broken(
    "a tensor named twice by an escape",
    /model\.safetensors: .*model\.norm\.weight once/,
    header((t) => t.replace(/"(model\.norm\.weight":\{[^}]*\})/, '"$1,"\\u006dodel.norm.weight":{}')),
  ),
  broken(
    "a dtype given twice",
    /model\.safetensors: .*dtype once/,
    header((t) => t.replace('"dtype"', '"dtype":"F32","dtype"')),
  ),
  broken(
    "metadata that is a list",
    /__metadata__: .*an object/,
    entry(EMBED, (_, all) => Object.assign(all, { __metadata__: [] })),
  ),
  broken(
    "metadata with a number",
    /__metadata__: format: .*a string/,
    entry(EMBED, (_, all) => Object.assign(all, { __metadata__: { format: 1 } })),
  ),
  // Entries.
  broken(
    "a tensor that is null",
    /embed_tokens\.weight: .*an object/,
    entry(EMBED, (_, all) => Object.assign(all, { [EMBED]: null })),
  ),
  broken(
    "a tensor with another key",
    /embed_tokens\.weight: .*only, got strides/,
    entry(EMBED, (e) => Object.assign(e, { strides: [1] })),
  ),
  broken(
    "an unknown dtype",
    /embed_tokens\.weight: .*dtype F32, F16, BF16, got BF17\. Choose/,
    entry(EMBED, (e) => {
      e.dtype = "BF17";
    }),
  ),
  broken(
    "a dtype from the prototype",
    /embed_tokens\.weight: .*a known dtype/,
    entry(EMBED, (e) => {
      e.dtype = "toString";
    }),
  ),
  broken(
    "no dtype",
    /embed_tokens\.weight: .*a known dtype, got nothing/,
    entry(EMBED, (e) => {
      e.dtype = undefined;
    }),
  ),
  broken(
    "a negative dimension",
    /embed_tokens\.weight: .*a shape/,
    entry(EMBED, (e) => {
      e.shape = [-96, -32];
    }),
  ),
  broken(
    "a fractional dimension",
    /embed_tokens\.weight: .*a shape/,
    entry(EMBED, (e) => {
      e.shape = [9.6, 320];
    }),
  ),
  broken(
    "a dimension past 2^53",
    /embed_tokens\.weight: .*a shape/,
    entry(EMBED, (e) => {
      e.shape = [2 ** 53, 32];
    }),
  ),
  broken(
    "a shape that overflows",
    /embed_tokens\.weight: .*no more than 2\^53/,
    entry(EMBED, (e) => {
      e.shape = [2 ** 52, 2 ** 52];
    }),
  ),
  broken(
    "a shape of text",
    /embed_tokens\.weight: .*a shape/,
    entry(EMBED, (e) => {
      e.shape = "96x32";
    }),
  ),
  broken(
    "three offsets",
    /embed_tokens\.weight: .*data_offsets/,
    entry(EMBED, (e) => Object.assign(e, { data_offsets: [0, 1, 2] })),
  ),
  broken(
    "offsets past 2^53",
    /embed_tokens\.weight: .*data_offsets/,
    entry(EMBED, (e) => {
      e.data_offsets = [2 ** 54, 2 ** 55];
    }),
  ),
  broken(
    "offsets past the end",
    /embed_tokens\.weight: .*within/,
    entry(EMBED, (e) => {
      e.data_offsets = [1e9, 1e9 + 6144];
    }),
  ),
  broken(
    "offsets backwards",
    /embed_tokens\.weight: .*within/,
    entry(EMBED, (e) => {
      e.data_offsets.reverse();
    }),
  ),
  broken(
    "negative offsets",
    /embed_tokens\.weight: .*data_offsets/,
    entry(EMBED, (e) => {
      e.data_offsets = [-6144, 0];
    }),
  ),
  broken(
    "fewer bytes than the shape",
    /embed_tokens\.weight: .*bytes for BF16/,
    entry(EMBED, (e) => {
      e.data_offsets[1] -= 2;
    }),
  ),
  broken(
    "two tensors over each other",
    /model\.safetensors: .*an overlap/,
    entry(EMBED, (e, all) => {
      const norms = [all["model.norm.weight"], all["model.layers.0.input_layernorm.weight"]];
      if (norms[0] && norms[1]) norms[0].data_offsets = norms[1].data_offsets;
      e.dtype = "BF16";
    }),
  ),
  broken(
    "a hole between tensors",
    /model\.safetensors: .*a hole/,
    entry("model.norm.weight", (_, all) => delete all["model.norm.weight"]),
  ),
  // What the graph needs.
  broken(
    "a tensor missing",
    /model\.layers\.1\.mlp\.down_proj\.weight: .*got none/,
    header((t) => t.replace(DOWN, `${DOWN}.old`)),
  ),
  broken(
    "a matrix transposed",
    /down_proj\.weight: .*\[32,64\], got \[64,32\]/,
    entry(DOWN, (e) => {
      e.shape = [64, 32];
    }),
  ),
  broken(
    "a matrix of one dimension",
    /down_proj\.weight: .*shape/,
    entry(DOWN, (e) => {
      e.shape = [2048];
    }),
  ),
  broken(
    "integers in place of weights",
    /down_proj\.weight: .*dtype F32, F16, BF16, got I16/,
    entry(DOWN, (e) => {
      e.dtype = "I16";
    }),
  ),
  broken(
    "one byte floats",
    /down_proj\.weight: .*dtype .*got F8_E4M3/,
    entry(DOWN, (e) => Object.assign(e, { dtype: "F8_E4M3", shape: [32, 64, 2] })),
  ),
  broken(
    "a bias",
    /q_proj\.bias: .*no bias/,
    header((t) =>
      t
        .replace("model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.q_proj.bias")
        .replace(
          "}}",
          '},"model.layers.0.self_attn.q_proj.weight":{"dtype":"BF16","shape":[0],"data_offsets":[0,0]}}',
        ),
    ),
  ),
  broken(
    "more layers than are stored",
    /model\.layers\.2\.input_layernorm\.weight: .*got none/,
    config({ num_hidden_layers: 3 }),
  ),
  broken(
    "another width than is stored",
    /embed_tokens\.weight: .*\[96,48\]/,
    config({ hidden_size: 48, head_dim: 8 }),
  ),
  // Config.
  broken("config.json is a web page", /config\.json: .*HTML/, (files) => {
    files["config.json"] = text("<!DOCTYPE html><html></html>");
  }),
  broken("config.json is empty", /config\.json: .*JSON/, (files) => {
    files["config.json"] = text("");
  }),
  broken("config.json is a list", /config\.json: .*a JSON object/, (files) => {
    files["config.json"] = text("[]");
  }),
  broken("config.json is UTF-16", /config\.json: .*UTF-8/, (files) => {
    files["config.json"] = new Uint8Array(Buffer.from("\ufeff{}", "utf16le"));
  }),
  broken(
    "another architecture",
    /architectures: .*MixtralForCausalLM/,
    config({ architectures: ["MixtralForCausalLM"] }),
  ),
  broken("a vocabulary of 10^15", /vocab_size: .*1000000000000000/, config({ vocab_size: 1e15 })),
  broken("generation_config.json is broken", /generation_config\.json: .*JSON/, (files) => {
    files["generation_config.json"] = text("{");
  }),
  // Shards.
  broken(
    "an index that is no JSON",
    /index\.json: .*JSON/,
    (files) => {
      files[INDEX] = text("oops");
    },
    TWO,
  ),
  broken(
    "an index without a map",
    /weight_map: .*an object, got nothing/,
    index((_, all) => {
      all["weight_map"] = undefined;
    }),
    TWO,
  ),
  broken(
    "an index without tensors",
    /weight_map: .*at least one/,
    index((_, all) => {
      all["weight_map"] = {};
    }),
    TWO,
  ),
  broken(
    "an index with a path",
    /embed_tokens\.weight: .*same folder, got "\.\.\/etc/,
    index((map) => {
      map[EMBED] = "../etc/x.safetensors";
    }),
    TWO,
  ),
  broken(
    "an index with a Windows path",
    /embed_tokens\.weight: .*same folder/,
    index((map) => {
      map[EMBED] = "..\\x.safetensors";
    }),
    TWO,
  ),
  broken(
    "an index with an address",
    /embed_tokens\.weight: .*same folder/,
    index((map) => {
      map[EMBED] = "http://x/y.safetensors";
    }),
    TWO,
  ),
  broken(
    "an index that names the consolidated file",
    /embed_tokens\.weight: .*got "consolidated/,
    index((map) => {
      map[EMBED] = "consolidated.safetensors";
    }),
    TWO,
  ),
  broken(
    "an index with a number",
    /embed_tokens\.weight: .*got 7/,
    index((map) => {
      map[EMBED] = 7;
    }),
    TWO,
  ),
  broken(
    "a shard missing",
    /model-00001-of-00002\.safetensors: .*no such file.*index\.json says it holds/s,
    (files) => delete files[FIRST_SHARD],
    TWO,
  ),
  broken(
    "a shard that is a directory",
    /model-00001-of-00002\.safetensors: .*a directory/,
    (files) => {
      files[FIRST_SHARD] = "directory";
    },
    TWO,
  ),
  broken(
    "the same tensors in two shards, of which the index names neither",
    /model-00002-of-00002\.safetensors: [\w.]+: .*one copy/,
    (files) => {
      files["model-00002-of-00002.safetensors"] = bytes(files, FIRST_SHARD);
      index((map, all) => {
        all["weight_map"] = { a: FIRST_SHARD, b: "model-00002-of-00002.safetensors", ...(map && {}) };
      })(files);
    },
    TWO,
  ),
  broken(
    "one shard packed, one not",
    /model-00002-of-00002\.safetensors: __metadata__: .*weights/,
    (files) => {
      const second = split(bytes(files, "model-00002-of-00002.safetensors"));
      const entries = { ...JSON.parse(second.header), __metadata__: packedMetadata("q4") };
      files["model-00002-of-00002.safetensors"] = join(JSON.stringify(entries), second.data);
    },
    TWO,
  ),
  // Packed by `sirocco quantize`.
  broken(
    "a packed file of another version",
    /__metadata__: version: .*"2", got "99"/,
    packed(() => {}, { format: "sirocco", version: "99", weights: "q4" }),
  ),
  broken(
    "a packed file of an unknown format",
    /__metadata__: weights: .*got "q3"/,
    packed(() => {}, { format: "sirocco", version: "2", weights: "q3" }),
  ),
  broken(
    "a packed file with unpacked weights",
    /embed_tokens\.weight\.packed: .*got none/,
    entry(EMBED, (_, all) => Object.assign(all, { __metadata__: packedMetadata("q4") })),
  ),
  broken(
    "a packed file without a scale",
    /down_proj\.weight\.scale: .*got none/,
    packed((tensors) => {
      tensors.splice(
        tensors.findIndex(({ name }) => name === `${DOWN}.scale`),
        1,
      );
    }),
  ),
  broken(
    "packed rows of another width",
    /down_proj\.weight\.packed: .*shape/,
    packed((tensors) => {
      const at = tensors.findIndex(({ name }) => name === `${DOWN}.packed`);
      tensors[at] = { name: `${DOWN}.packed`, dtype: "U32", shape: [32, 16] };
    }),
  ),
  broken(
    "packed words that are floats",
    /down_proj\.weight\.packed: .*dtype U32, got F32/,
    packed((tensors) => {
      const at = tensors.findIndex(({ name }) => name === `${DOWN}.packed`);
      tensors[at] = { name: `${DOWN}.packed`, dtype: "F32", shape: [32, 8] };
    }),
  ),
];
