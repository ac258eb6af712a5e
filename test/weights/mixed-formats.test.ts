// Packed checkpoints with a format for each matrix: read back as they were written, or refused by name.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { WeightFormatName } from "../../kernels/index.ts";
import { openCheckpoint, parseConfig, requiredTensors, writeHeader } from "../../weights/index.ts";
import { columnsName, hiddenOrderName, packedHeader, packedOrders } from "../../weights/node.ts";
import { join, memorySource, split } from "./memory-source.ts";

const folder = new URL("../golden/quantised/gptq_4bit_desc_act_g32/", import.meta.url).pathname;
const json = JSON.parse(readFileSync(`${folder}config.json`, "utf8"));
const config = await parseConfig(json, "config.json");
const [Q, GATE, UP] = ["self_attn.q_proj", "mlp.gate_proj", "mlp.up_proj"].map(
  (module) => `model.layers.0.${module}.weight`,
) as [string, string, string];
const HEAD = "lm_head.weight";

const formats = new Map<string, WeightFormatName>([
  [HEAD, "f16"],
  [Q, "q4"],
  [GATE, "q8"],
  [UP, "q8"],
]);
const reversed = Uint32Array.from({ length: config.D }, (_, i) => config.D - 1 - i);

const orders = packedOrders(config, { columnsOf: (name) => (name === Q ? reversed : undefined) });

/** Writes the orders where the header has them. */
function putOrders(
  file: Uint8Array,
  placed: readonly { readonly name: string; readonly start: number }[],
): void {
  for (const { name, start } of placed) {
    const order = orders.get(name);
    if (order) file.set(new Uint8Array(Uint32Array.from(order).buffer), start);
  }
}

interface Header {
  readonly __metadata__: Record<string, string>;
  readonly [name: string]: Record<string, unknown>;
}

/** The files of a packed checkpoint, with its header and data changed. */
function packed(change: (header: Header, data: Uint8Array) => void = () => {}): Record<string, Uint8Array> {
  const { tensors, metadata } = packedHeader({ config }, (name) => formats.get(name) ?? "q4a64", orders);
  const { bytes, fileBytes, tensors: placed } = writeHeader(tensors, metadata);
  const file = new Uint8Array(fileBytes);
  file.set(bytes);
  putOrders(file, placed);
  const { header, data } = split(file);
  const parsed = JSON.parse(header);
  change(parsed, data);
  return {
    "config.json": new TextEncoder().encode(JSON.stringify(json)),
    "model.safetensors": join(JSON.stringify(parsed), data),
  };
}

test("is read back, although config.json still says how the original was quantised", async () => {
  const { quantised, tensors } = await openCheckpoint(memorySource(packed()));
  expect(quantised).toMatchObject({
    name: "packed as q4a64, q8, q4, f16",
    ...{ weights: "q4a64", convertible: false },
  });
  for (const { name, kind } of requiredTensors(config)) {
    if (kind === "matrix") expect(quantised!.formatOf(name)).toBe(formats.get(name) ?? "q4a64");
  }
  expect(quantised!.columnsOf!(Q)).toEqual(reversed);
  expect(quantised!.columnsOf!(GATE)).toBeUndefined();
  // Beside an order of columns all layers have that of their feed-forward entries.
  const inOrder = Uint32Array.from({ length: config.F }, (_, i) => i);
  for (let layer = 0; layer < config.L; layer++) expect(quantised!.hiddenOrderOf!(layer)).toEqual(inOrder);
  expect([...tensors.keys()].filter((name) => /columns|rows/.test(name))).toEqual([]);
});

test("one rule for all matrices is written as before", () => {
  const { metadata } = packedHeader({ config }, (name) => (name === HEAD ? "q8" : "q4"), new Map());
  expect(metadata).toEqual({ format: "sirocco", version: "2", weights: "q4" });
});

test.each([
  ["one rule", "2"],
  ["a format for each matrix", "3"],
])(
  "%s: the window that the original had lost is still known, unless config.json has one",
  async (_, version) => {
    const windowless = { ...json, sliding_window: null };
    const { tensors, metadata } = packedHeader(
      { config: { ...config, W: null }, lostWindow: 4096 },
      (name) => (version === "2" && name !== HEAD ? "q4" : "q8"),
      version === "3" ? orders : new Map(),
    );
    expect(metadata).toMatchObject({ version });
    const open = (metadata: Record<string, string>, own: object) => {
      const { bytes, fileBytes, tensors: placed } = writeHeader(tensors, metadata);
      const file = new Uint8Array(fileBytes);
      file.set(bytes);
      putOrders(file, placed);
      const config = new TextEncoder().encode(JSON.stringify(own));
      return openCheckpoint(memorySource({ "config.json": config, "model.safetensors": file }));
    };
    const { lostWindow, warnings } = await open(metadata, windowless);
    expect(lostWindow).toBe(4096);
    expect(warnings).toEqual([expect.stringMatching(/^memory: GGUF does not keep .*--window 4096/)]);
    expect((await open(metadata, { ...json, sliding_window: 24 })).lostWindow).toBeUndefined();
    await expect(open({ ...metadata, lost_window: "4096.5" }, windowless)).rejects.toThrow(
      /^model\.safetensors: __metadata__: lost_window: expected a number of tokens, got "4096.5"\. Quantise/,
    );
  },
);

/** Sets the formats that the header says. */
const say = (change: (formats: Record<string, unknown>) => void) => (header: Header) => {
  const formats = JSON.parse(header.__metadata__["formats"]!);
  change(formats);
  header.__metadata__["formats"] = JSON.stringify(formats);
};

/** Puts an order in the place of the columns of q_proj. */
const order = (values: readonly number[]) => (header: Header, data: Uint8Array) => {
  const [start] = header[columnsName(Q)]!["data_offsets"] as [number];
  data.set(new Uint8Array(Uint32Array.from(values).buffer), start);
};

test("orders: of entries only, in every layer; none without any", () => {
  const backwards = Uint32Array.from({ length: config.F }, (_, i) => config.F - 1 - i);
  const found = packedOrders(config, { hiddenOrderOf: (layer) => (layer === 0 ? backwards : undefined) });
  expect([...found.keys()]).toEqual(Array.from({ length: config.L }, (_, layer) => hiddenOrderName(layer)));
  expect(found.get(hiddenOrderName(0))).toEqual(backwards);
  expect(found.get(hiddenOrderName(config.L - 1))?.[1]).toBe(config.L > 1 ? 1 : config.F - 2);
  expect(packedOrders(config, {}).size).toBe(0);
  expect(packedOrders(config, { columnsOf: () => undefined, hiddenOrderOf: () => undefined }).size).toBe(0);
});

const rename = (from: string, to: string) => (header: Header) => {
  Object.assign(header, { [to]: header[from] });
  delete (header as Record<string, unknown>)[from];
};

test.each<[what: string, change: (header: Header, data: Uint8Array) => void, message: RegExp]>([
  ["no formats", ({ __metadata__ }) => delete __metadata__["formats"], /__metadata__: formats: .*JSON/],
  ["formats that are no JSON", ({ __metadata__: m }) => (m["formats"] = "q4"), /__metadata__: formats/],
  ["a list", ({ __metadata__: m }) => (m["formats"] = "[]"), /__metadata__: formats/],
  ["nested without end", ({ __metadata__: m }) => (m["formats"] = '{"a":'.repeat(1e4)), /nested at most/],
  ["a matrix without format", say((all) => delete all[Q]), /formats: .*q_proj.weight: expected one of/],
  ["an unknown format", say((all) => (all[Q] = "q5")), /q_proj.weight: expected one of f32, .*"q5"/],
  ["a format of a prototype", say((all) => (all[Q] = "constructor")), /q_proj.weight: expected one of/],
  ["a matrix too many", say((all) => (all["model.x.weight"] = "q4")), /formats: .*model.x.weight/],
  ["a vector", say((all) => (all["model.norm.weight"] = "f32")), /model.norm.weight: expected a matrix/],
  ["gate and up apart", say((all) => (all[UP] = "q4")), /up_proj.weight: expected q8, as of gate_proj/],
  ["another format than the bytes", say((all) => (all[Q] = "q8")), /q_proj.weight.packed: expected shape/],
  [
    "a newer version",
    ({ __metadata__: m }) => (m["version"] = "4"),
    /__metadata__: version: expected "2", got "4"/,
  ],
  ["an order of the head", rename(columnsName(Q), columnsName(HEAD)), /lm_head.weight.columns/],
  ["an order of floats", say((all) => (all[Q] = "f16")), /q_proj.weight/],
  ["a column twice", order([1, 1]), /q_proj.weight.columns: expected every number once/],
  ["a column that is not there", order([2 ** 31]), /every number once/],
  [
    "an order of another length",
    (header) => (header[columnsName(Q)]!["shape"] = [2, config.D / 2]),
    /q_proj.weight.columns: expected shape/,
  ],
  [
    "an order of floats' type",
    (header) => (header[columnsName(Q)]!["dtype"] = "F32"),
    /columns: expected dtype U32/,
  ],
  ["no scales", rename(`${Q}.scale`, "unused"), /q_proj.weight.scale: expected a tensor/],
])("%s is refused", async (_, change, message) => {
  const error = await openCheckpoint(memorySource(packed(change))).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: "CheckpointError", message: expect.stringMatching(message) });
});

test("an old index that names a second file does not matter", async () => {
  const files = packed();
  const index = { weight_map: { [`${Q}.packed`]: "model.safetensors", x: "other.safetensors" } };
  files["model.safetensors.index.json"] = new TextEncoder().encode(JSON.stringify(index));
  files["other.safetensors"] = join("{}", new Uint8Array());
  expect((await openCheckpoint(memorySource(files))).quantised!.weights).toBe("q4a64");
});
