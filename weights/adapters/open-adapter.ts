// Reads a LoRA adapter of PEFT: adapter_config.json and adapter_model.safetensors. The tensors say which
// modules are adapted; the configuration must agree.
import { type CheckpointError, label, mismatch, show } from "../errors.ts";
import { toFloats } from "../floats.ts";
import { sha256, sha256OfText } from "../integrity/sha256.ts";
import type { ModelConfig } from "../model-config.ts";
import { readJson } from "../read-file.ts";
import { readRows } from "../rows.ts";
import { type HeaderTensor, readHeader } from "../safetensors/header.ts";
import { tensorName } from "../safetensors/names.ts";
import type { Source } from "../source.ts";
import type { Adapter, AdapterChange, AdapterMatrix, AdapterTensor } from "./adapter.ts";
import { type AdapterConfig, isNamed, parseAdapterConfig, UNSUPPORTED } from "./adapter-config.ts";
import { CONFIG_FILE, TENSORS_FILE } from "./names.ts";
import { Sites } from "./sites.ts";

const OTHER_MODEL = "The adapter belongs to another model: load the one that it was trained on.";
const DAMAGED = "Fetch both files of the adapter again.";
const PREFIX = "base_model.model.";

/** What a tensor is to its module, by the end of its name. */
const PARTS = {
  "lora_A.weight": "a",
  "lora_B.weight": "b",
  "lora_B.bias": "bias",
  lora_embedding_A: "embeddingA",
  lora_embedding_B: "embeddingB",
  lora_magnitude_vector: "magnitude",
  "lora_magnitude_vector.weight": "magnitude",
  "token_adapter.trainable_tokens_delta": "tokens",
  "base_layer.weight": "base",
  "base_layer.bias": "wholeBias",
  weight: "whole",
  bias: "wholeBias",
} as const;

type PartName = (typeof PARTS)[keyof typeof PARTS];

/** The tensors of a module of the base model. */
interface Module {
  /** Its path, as the adapter's files name it. */
  readonly path: string;
  readonly parts: Partial<Record<PartName, AdapterTensor & { readonly where: string }>>;
}

/**
 * Opens the adapter in `source`, and reads it whole.
 * @param name what its user calls it
 * @param config of the model that it is for
 * @throws CheckpointError naming file, and field or tensor: for what is damaged, unsupported, or made for
 * another model
 */
export async function openAdapter(
  name: string,
  source: Source,
  config: ModelConfig,
  signal?: AbortSignal,
): Promise<Adapter> {
  const json = await readJson(source, CONFIG_FILE, signal);
  if (!json) throw await missing(source, CONFIG_FILE, signal);
  const said = parseAdapterConfig(json);
  if ((await source.size(TENSORS_FILE, signal)) === undefined)
    throw await missing(source, TENSORS_FILE, signal);
  const { tensors } = await readHeader(source, TENSORS_FILE, signal);
  checkLayers(said, config);
  const sites = new Sites(config);
  const modules = new Map<string, Module>();
  const digests: string[] = [await sha256OfText(JSON.stringify(json))];
  for (const tensor of tensors) {
    const { path, part } = placeOf(tensor);
    const module = modules.get(path) ?? { path, parts: {} };
    modules.set(path, module);
    checkShape(tensor, part, path, said, sites);
    if (part === "base") continue; // A copy of the base model's.
    const bytes = await readWhole(source, tensor, signal);
    digests.push(JSON.stringify([tensor.name, tensor.dtype, tensor.shape]), await sha256(bytes));
    // Its dtype was checked.
    const encoding = tensor.dtype as AdapterTensor["encoding"];
    const where = `${TENSORS_FILE}: ${label(tensor.name)}`;
    if (module.parts[part]) throw mismatch(where, "it once", "it twice", DAMAGED);
    module.parts[part] = { encoding, shape: tensor.shape, bytes, where };
  }
  if (modules.size === 0) throw mismatch(TENSORS_FILE, "tensors of an adapter", "none", DAMAGED);
  const changes = new Map<string, AdapterChange>();
  for (const module of modules.values()) {
    for (const [name, change] of changesOf(module, said, sites)) {
      if (changes.has(name)) throw mismatch(`${TENSORS_FILE}: ${name}`, "one change", "two", DAMAGED);
      changes.set(name, change);
    }
  }
  for (const [field, named, part] of [
    ["modules_to_save", said.modulesToSave, "whole"],
    ["trainable_token_indices", said.trainedModules, "tokens"],
  ] as const) {
    const lost = named.find(
      (each) => ![...modules.values()].some(({ path, parts }) => isNamed(path, each) && parts[part]),
    );
    if (lost === undefined) continue;
    throw mismatch(
      `${CONFIG_FILE}: ${field}: ${show(lost)}`,
      `its tensor in ${TENSORS_FILE}`,
      "none",
      DAMAGED,
    );
  }
  checkComplete(modules, said, sites);
  return {
    name,
    digest: await sha256OfText(digests.join("\n")),
    changes,
    matrix: (role, layer) => changes.get(tensorName(role, layer))?.matrix,
  };
}

function checkLayers({ layers = new Set() }: AdapterConfig, { L }: ModelConfig): void {
  const beyond = [...layers].find((layer) => layer >= L);
  if (beyond !== undefined)
    throw mismatch(`${CONFIG_FILE}: layers_to_transform`, `layers below ${L}`, `${beyond}`, OTHER_MODEL);
}

/** Every name among the targets has tensors, if the model has such modules and nothing leaves them out. */
function checkComplete(modules: ReadonlyMap<string, Module>, said: AdapterConfig, sites: Sites): void {
  const lost = said.targets.find(
    (name) =>
      sites.named(name).some((path) => said.refusal(path) === undefined) &&
      ![...modules.keys()].some((path) => isNamed(path, name)),
  );
  if (lost !== undefined)
    throw mismatch(
      `${CONFIG_FILE}: target_modules: ${show(lost)}`,
      `its tensors in ${TENSORS_FILE}`,
      "none",
      DAMAGED,
    );
}

async function missing(
  source: Source,
  file: string,
  signal: AbortSignal | undefined,
): Promise<CheckpointError> {
  const pickle = (await source.size("adapter_model.bin", signal)) !== undefined;
  const got = `no such file in ${source.name}`;
  return pickle && file === TENSORS_FILE
    ? mismatch(
        file,
        "a file",
        `${got} but adapter_model.bin, which can run code`,
        "Load it with PEFT and save it as safetensors (save_pretrained).",
        "not-found",
      )
    : mismatch(
        file,
        "a file",
        got,
        `An adapter is ${CONFIG_FILE} and ${TENSORS_FILE}, as PEFT saves it.`,
        "not-found",
      );
}

function placeOf({ name }: HeaderTensor): { path: string; part: PartName } {
  const ends = Object.keys(PARTS) as (keyof typeof PARTS)[];
  const end = ends.find((each) => name.endsWith(`.${each}`));
  const path = end && name.slice(PREFIX.length, -end.length - 1);
  if (!end || !path || !name.startsWith(PREFIX)) {
    const expected = `${PREFIX}, a module's path, and lora_A.weight, lora_B.weight or the like`;
    throw mismatch(
      `${TENSORS_FILE}: ${label(name)}`,
      expected,
      "another name",
      "Choose an adapter that PEFT saved as LoRA.",
    );
  }
  return { path, part: PARTS[end] };
}

/** The tensor is of a module that the model has and the configuration adapts, and has the right shape. */
function checkShape(
  { name, dtype, shape }: HeaderTensor,
  part: PartName,
  path: string,
  said: AdapterConfig,
  sites: Sites,
): void {
  const where = `${TENSORS_FILE}: ${label(name)}`;
  const end = part === "wholeBias" ? "bias" : "weight";
  const [first, ...others] = sites.at(path, end);
  if (!first) throw mismatch(where, `a ${end} of the model`, "none of this name", OTHER_MODEL);
  const isLow = part !== "whole" && part !== "wholeBias" && part !== "base" && part !== "tokens";
  const embedding = first.role === "embedTokens";
  const wrongKind =
    (isLow && first.kind !== "matrix") ||
    (part.startsWith("embedding") && !embedding) ||
    (["a", "b", "bias", "magnitude"].includes(part) && embedding) ||
    (part === "tokens" && !embedding && first.role !== "lmHead");
  if (wrongKind) throw mismatch(where, "what can be added to this module", "something else", UNSUPPORTED);
  const refusal = isLow ? said.refusal(path) : undefined;
  if (refusal !== undefined) {
    throw mismatch(
      where,
      `a module that ${CONFIG_FILE} adapts`,
      `one that its ${refusal} leaves out`,
      DAMAGED,
    );
  }
  if (!(dtype === "F32" || dtype === "F16" || dtype === "BF16"))
    throw mismatch(where, "dtype F32, F16, BF16", dtype, "Save the adapter as floats.");
  const rank = isLow ? said.rank(path) : 0;
  const N = (others.at(-1) ?? first).to;
  const width = first.shape[1] ?? 0;
  const whole = first.shape.length > 1 ? [N, width] : [N];
  const expected: Readonly<Record<PartName, readonly number[]>> = {
    a: [rank, width],
    b: [N, rank],
    bias: [N],
    embeddingA: [rank, N],
    embeddingB: [width, rank],
    magnitude: [N],
    tokens: [said.tokens(path)?.length ?? 0, width],
    base: whole,
    whole,
    wholeBias: [N],
  };
  if (show(shape) !== show(expected[part]))
    throw mismatch(
      where,
      `shape ${show(expected[part])}`,
      show(shape),
      isLow ? `${OTHER_MODEL} Or r and rank_pattern of ${CONFIG_FILE} are wrong.` : OTHER_MODEL,
    );
}

async function readWhole(
  source: Source,
  { dtype, ...tensor }: HeaderTensor,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(tensor.end - tensor.start);
  const info = { ...tensor, encoding: dtype };
  let at = 0;
  for await (const piece of readRows({ source, tensors: new Map() }, info, { maxBytes: 2 ** 24, signal })) {
    bytes.set(piece.bytes, at);
    at += piece.bytes.length;
  }
  return bytes;
}

/** What a module's tensors do to those of the model, by name. */
function changesOf(
  { path, parts }: Module,
  said: AdapterConfig,
  sites: Sites,
): [name: string, change: AdapterChange][] {
  const changes: [string, AdapterChange][] = [];
  const { tokens, whole, wholeBias } = parts;
  const matrix = matrixOf(path, parts, said);
  if (tokens && (whole || matrix))
    throw mismatch(tokens.where, "no other change of its module", "one", DAMAGED);
  const ids = tokens && said.tokens(path);
  for (const { name, role, layer, from, to } of tokens || whole || matrix ? sites.at(path, "weight") : []) {
    const none = ids?.find((id) => id >= to);
    if (tokens && none !== undefined)
      throw mismatch(tokens.where, `tokens below ${to}`, `${none}`, OTHER_MODEL);
    changes.push([
      name,
      {
        ...{ role, layer },
        ...(matrix && { matrix: role === "embedTokens" ? matrix : rowsOf(matrix, from, to) }),
        ...(whole && { whole: rowsOfTensor(whole, from, to) }),
        ...(tokens && ids && { tokens: { ids, rows: floatsOf(tokens) } }),
      },
    ]);
  }
  if (wholeBias) {
    for (const { name, role, layer, from, to } of sites.at(path, "bias"))
      changes.push([name, { role, layer, whole: rowsOfTensor(wholeBias, from, to) }]);
  }
  return changes;
}

/** @throws CheckpointError if only some of the tensors are there */
function matrixOf(
  path: string,
  parts: Module["parts"],
  { dora, loraBias, rank, scale }: AdapterConfig,
): AdapterMatrix | undefined {
  const { bias, magnitude, embeddingA, embeddingB } = parts;
  const [a, b] = [parts.a ?? embeddingA, parts.b ?? embeddingB];
  const lacks = (part: string, why: string): Error =>
    mismatch(`${TENSORS_FILE}: ${label(`${PREFIX}${path}`)}`, `${part}, as ${why}`, "none", DAMAGED);
  const other = bias ?? magnitude;
  if (!a && !b && !other) return undefined;
  if (!a) throw lacks("A", `there is ${b ? "B" : "another part"}`);
  if (!b) throw lacks("B", "there is A");
  const embedding = embeddingA !== undefined;
  if (embedding && (dora || loraBias)) {
    const field = dora ? "use_dora" : "lora_bias";
    throw mismatch(`${CONFIG_FILE}: ${field}`, "false, as the embedding is adapted", "true", UNSUPPORTED);
  }
  for (const [part, there, field, on] of [
    ["lora_magnitude_vector", magnitude, "use_dora", dora],
    ["lora_B.bias", bias, "lora_bias", loraBias],
  ] as const) {
    if (on && !there) throw lacks(part, `${CONFIG_FILE} says ${field}`);
    if (!on && there)
      throw mismatch(there.where, `none, as ${CONFIG_FILE} does not say ${field}`, "one", DAMAGED);
  }
  return {
    ...{ rank: rank(path), scale: scale(path), a: floatsOf(a), b: floatsOf(b) },
    ...(magnitude && { magnitude: floatsOf(magnitude) }),
    ...(bias && { bias: floatsOf(bias) }),
  };
}

const floatsOf = ({ bytes, encoding }: AdapterTensor): Float32Array<ArrayBuffer> => toFloats(bytes, encoding);

/** Rows [from, to) of a matrix. They share A. */
function rowsOf({ b, magnitude, bias, ...rest }: AdapterMatrix, from: number, to: number): AdapterMatrix {
  return {
    ...rest,
    b: b.subarray(from * rest.rank, to * rest.rank),
    ...(magnitude && { magnitude: magnitude.subarray(from, to) }),
    ...(bias && { bias: bias.subarray(from, to) }),
  };
}

function rowsOfTensor({ encoding, shape, bytes }: AdapterTensor, from: number, to: number): AdapterTensor {
  const rowBytes = bytes.length / (shape[0] ?? 1);
  return {
    encoding,
    shape: [to - from, ...shape.slice(1)],
    bytes: bytes.subarray(from * rowBytes, to * rowBytes),
  };
}
