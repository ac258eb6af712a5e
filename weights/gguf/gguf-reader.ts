// Opens a checkpoint in GGUF: one file, or the parts of a split one. All headers are checked before a tensor
// is read.
import { scaleWords, type WeightFormatName, weightWords } from "../../kernels/formats/table.ts";
import type { Checkpoint, FormatOf, Quantised, Vocabulary } from "../checkpoint.ts";
import { type ModelConfig, parseConfig } from "../config.ts";
import { label, mismatch, show } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { lostWindow } from "../lost-window.ts";
import type { Source } from "../source.ts";
import type { TensorInfo } from "../tensor-info.ts";
import { type GgufConfig, readConfig } from "./config.ts";
import { encodingOf, formatOfType, isQuantised, readTypes } from "./encodings.ts";
import type { GgufTensor } from "./header.ts";
import { Metadata, UNSUPPORTED } from "./metadata.ts";
import { belongsToGraph, LM_HEAD, type RequiredInFile, ROPE_DIVISORS, requiredInFile } from "./names.ts";
import { type Parts, readParts } from "./parts.ts";
import { scalingOf } from "./rope-divisors.ts";
import { readGgufRows } from "./rows.ts";
import { readVocabulary } from "./vocabulary.ts";

const ADVICE = "Choose another conversion of the model.";
/** Types of vectors: quantised ones are not written by any program. */
const FLOATS: readonly string[] = ["F32", "F16", "BF16"];

/** Mistral 7B v0.1 and its fine-tunes, by what tells them from later versions and other models. */
const FIRST_MISTRAL = { D: 4096, F: 14336, L: 32, G: 8, ropeTheta: 10000 } as const;
const LOST_WINDOW = 4096;

const isFirstMistral = ({ D, F, L, G, ropeTheta, W }: ModelConfig): boolean =>
  W === null &&
  D === FIRST_MISTRAL.D &&
  F === FIRST_MISTRAL.F &&
  L === FIRST_MISTRAL.L &&
  G === FIRST_MISTRAL.G &&
  ropeTheta === FIRST_MISTRAL.ropeTheta;

/** @throws CheckpointError naming file, and key or tensor */
export async function openGguf(source: Source, signal?: AbortSignal): Promise<Checkpoint> {
  const parts = await readParts(source, signal);
  const metadata = new Metadata(parts.first);
  const read = readConfig(metadata);
  const json = await wholeConfig(source, parts, read, signal);
  const config = await parseConfig(json, parts.first.file);
  const required = requiredInFile(config);
  const found = required.map((each) => ({ ...each, tensor: checkTensor(parts, each) }));
  refuseUnknown(parts, required, config);
  const tensors = found.map(tensorInfo);
  tensors.sort((a, b) => parts.files.indexOf(a.file) - parts.files.indexOf(b.file) || a.start - b.start);
  const types = new Map(found.map(({ name, tensor }) => [name, tensor.type]));
  const headRows = new Map(
    required
      .filter(({ role }) => read.architecture.interleaved && (role === "qProj" || role === "kProj"))
      .map(({ name }) => [name, config.d]),
  );
  return {
    config,
    source,
    container: `GGUF v${parts.first.version}`,
    endsGiven: config.eosTokenIds.length > 0,
    ...(isFirstMistral(config) && lostWindow(LOST_WINDOW, source.name)),
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    parameters: required.reduce((sum, { shape }) => sum + weightsOf(shape), 0),
    bytes: tensors.reduce((sum, { start, end }) => sum + end - start, 0),
    quantised: quantisedAs(found, metadata),
    readRows: (tensor, options, from = source) =>
      readGgufRows(from, tensor, types.get(tensor.name), headRows.get(tensor.name), options),
    vocabulary: async () => readVocabulary(metadata),
    companions: () => companions(json, readVocabulary(metadata)),
  };
}

const companions = (config: JsonObject, vocabulary: Vocabulary | undefined): Map<string, JsonObject> =>
  new Map([
    ["config.json", config],
    ...(vocabulary
      ? ([
          ["tokenizer.json", vocabulary.tokenizer],
          ["tokenizer_config.json", vocabulary.tokenizerConfig ?? {}],
        ] as const)
      : []),
  ]);

/** A tensor that the graph reads, and where it is. */
interface Found extends RequiredInFile {
  readonly tensor: GgufTensor;
}

const weightsOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** config.json with what only the tensors say. */
async function wholeConfig(
  source: Source,
  { first, tensors }: Parts,
  { json }: GgufConfig,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const plain = await parseConfig(json, first.file);
  const divisors = tensors.get(ROPE_DIVISORS);
  let scaling = json["rope_scaling"];
  if (divisors) {
    const where = `${divisors.file}: ${divisors.name}`;
    if (divisors.typeName !== "F32" || weightsOf(divisors.shape) !== plain.d / 2 || scaling !== undefined) {
      const expected = `F32 [${plain.d / 2}], and no other scaling of RoPE`;
      throw mismatch(where, expected, `${divisors.typeName} ${show(divisors.shape)}`, ADVICE);
    }
    const bytes = await source.read(divisors.file, divisors.start, divisors.end, signal);
    scaling = scalingOf(new Float32Array(bytes.buffer), plain.ropeTheta, where);
  }
  const tied = !tensors.has(LM_HEAD);
  return { ...json, ...(scaling !== undefined && { rope_scaling: scaling }), tie_word_embeddings: tied };
}

function checkTensor({ first, tensors }: Parts, { stored, shape, kind }: RequiredInFile): GgufTensor {
  const tensor = tensors.get(stored);
  if (!tensor) throw mismatch(`${first.file}: ${stored}`, `a tensor ${show(shape)}`, "none", ADVICE);
  const where = `${tensor.file}: ${stored}`;
  const types = kind === "matrix" ? readTypes : FLOATS;
  if (!types.includes(tensor.typeName)) {
    const advice = "Choose a file with one of these types, such as Q4_K_M, Q4_0 or Q8_0.";
    throw mismatch(where, `a type of ${types.join(", ")}`, tensor.typeName, advice);
  }
  if (tensor.shape.length !== shape.length || tensor.shape.some((n, i) => n !== shape[i]))
    throw mismatch(where, `shape ${show(shape)}`, show(tensor.shape), ADVICE);
  return tensor;
}

/** Ignoring a tensor of the graph would change the results. */
function refuseUnknown({ tensors }: Parts, required: readonly RequiredInFile[], { L }: ModelConfig): void {
  const wanted = new Set(required.map(({ stored }) => stored));
  for (const { name, file, shape } of tensors.values()) {
    if (wanted.has(name) || !belongsToGraph(name)) continue;
    const where = `${file}: ${label(name)}`;
    const [, layer] = /^blk\.(\d+)\./.exec(name) ?? [];
    if (layer !== undefined && Number(layer) >= L)
      throw mismatch(where, `${L} layers, as the metadata says`, "one more", ADVICE);
    throw mismatch(where, "no tensor of this name", show(shape), UNSUPPORTED);
  }
}

function tensorInfo({ name, shape, tensor: { type, typeName, file, start, end } }: Found): TensorInfo {
  const own = type && encodingOf(type);
  return { name, encoding: typeName, ...(own && { own }), shape, file, start, end };
}

/** Mixtures of types, by general.file_type (llama_ftype in llama.h). Other files are named after a type. */
const MIXTURES: ReadonlyMap<unknown, string> = new Map([
  [14, "Q4_K_S"],
  [15, "Q4_K_M"],
  [16, "Q5_K_S"],
  [17, "Q5_K_M"],
]);

/** null if all matrices are floats. */
function quantisedAs(found: readonly Found[], metadata: Metadata): Quantised | null {
  const matrices = found
    .filter(({ kind }) => kind === "matrix")
    .map(({ tensor, ...matrix }) => ({ ...matrix, type: tensor.typeName }));
  if (!matrices.some(({ type }) => isQuantised(type))) return null;
  const formats = new Map(matrices.map(({ name, type }) => [name, formatOfType(type) ?? "f32"]));
  const weightsIn = new Map<WeightFormatName, number>();
  const typesOf = new Map<string, number>();
  for (const { name, type, shape } of matrices) {
    const format = formats.get(name) ?? "f32";
    weightsIn.set(format, (weightsIn.get(format) ?? 0) + weightsOf(shape));
    typesOf.set(type, (typesOf.get(type) ?? 0) + weightsOf(shape));
  }
  const most = <T>(counts: ReadonlyMap<T, number>): T =>
    [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
  return {
    name: MIXTURES.get(metadata.get("general.file_type")) ?? most(typesOf),
    weights: most(weightsIn),
    formatOf: levelled(matrices, formats),
    convertible: true,
  };
}

const wordsOf = (format: WeightFormatName): number =>
  weightWords(format, 2 ** 10) + scaleWords(format, 2 ** 10);

/** Gate and up of a layer share parts, in the more exact of their formats. */
function levelled(
  matrices: readonly Pick<RequiredInFile, "name" | "role" | "layer">[],
  formats: ReadonlyMap<string, WeightFormatName>,
): FormatOf {
  const level = new Map(formats);
  const at = (role: string, layer: number | undefined): string =>
    matrices.find((each) => each.role === role && each.layer === layer)?.name ?? "";
  for (const { role, layer, name: gate } of matrices) {
    if (role !== "gateProj") continue;
    const up = at("upProj", layer);
    const [a = "f32", b = "f32"] = [formats.get(gate), formats.get(up)];
    const finer = wordsOf(a) >= wordsOf(b) ? a : b;
    level.set(gate, finer).set(up, finer);
  }
  return (tensor) => level.get(tensor) ?? "f32";
}
