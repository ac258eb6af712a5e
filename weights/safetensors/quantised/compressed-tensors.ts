// compressed-tensors, as llm-compressor writes it: codes in words along rows, signed bytes, or FP8 numbers.
import { mismatch, show } from "../../errors.ts";
import { Fields } from "../../fields.ts";
import { isObject } from "../../json.ts";
import { type Block, blockOf, fp8Matrix } from "./fp8.ts";
import { ADVICE, bitsOf, FLOATS, groupOf, type Method, unsupported, type Wanted, WORDS } from "./method.ts";
import { type CodeOrder, groupsOf, type StoredMatrix } from "./stored-matrix.ts";

const FORMATS = ["pack-quantized", "int-quantized", "float-quantized", "naive-quantized"] as const;

/** What config.json says of the weights. */
interface Weights {
  readonly bits: 4 | 8;
  readonly symmetric: boolean;
  readonly block: Block;
}

/** @throws CheckpointError naming the field */
export function compressedTensors(fields: Fields): Method {
  const format = FORMATS.find((known) => known === fields.get("format"));
  if (!format) throw unsupported(fields, "format", `one of ${FORMATS.join(", ")}`);
  const sparsity = fields.get("sparsity_config");
  if (isObject(sparsity) && !["dense", undefined].includes(sparsity["format"] as string | undefined))
    throw unsupported(fields, "sparsity_config", "none");
  const weights = weightFields(fields);
  const { bits, symmetric, block } = parseWeights(weights);
  const type = weights.get("type") ?? "int";
  if (type === "float") {
    if (bits !== 8) throw unsupported(weights, "num_bits", "8 for floats");
    if (!symmetric) throw unsupported(weights, "symmetric", "true for floats");
    return {
      name: "compressed-tensors with fp8",
      ordered: true,
      matrix: (wanted) => fp8Matrix(wanted, "weight_scale", block),
    };
  }
  if (type !== "int") throw unsupported(weights, "type", '"int" or "float"');
  if (block.rows !== undefined && block.rows !== 1)
    throw unsupported(weights, "strategy", '"group" or "channel"');
  const packed = format === "pack-quantized";
  if (!packed && bits !== 8) throw unsupported(weights, "num_bits", `8 in ${format}`);
  return {
    name: `compressed-tensors with ${bits} bits`,
    // The other kinds of act-order leave the columns of a group side by side.
    ordered: weights.get("actorder") !== "group",
    matrix(wanted) {
      if (!wanted.stored("weight_scale") && !wanted.stored("weight_packed")) return undefined;
      return packed
        ? packedMatrix(wanted, { bits, symmetric, block })
        : byteMatrix(wanted, { bits, symmetric, block });
    },
  };
}

/** The fields of the weights of the only group. */
function weightFields(fields: Fields): Fields {
  const groups = fields.get("config_groups");
  const [first, ...others] = isObject(groups) ? Object.entries(groups) : [];
  if (!first || others.length > 0) throw unsupported(fields, "config_groups", "one group");
  const [name, group] = first;
  const where = `${fields.where}: config_groups: ${name}`;
  const weights = isObject(group) ? group["weights"] : undefined;
  if (!isObject(weights)) throw mismatch(`${where}: weights`, "an object", show(weights), ADVICE);
  return new Fields(weights, `${where}: weights`);
}

function parseWeights(fields: Fields): Weights {
  const bits = bitsOf(fields, "num_bits");
  const symmetric = fields.given("symmetric") ? fields.flag("symmetric") : true;
  const strategy = fields.get("strategy") ?? (fields.given("group_size") ? "group" : "channel");
  switch (strategy) {
    case "tensor":
      return { bits, symmetric, block: { rows: undefined, columns: undefined } };
    case "channel":
      return { bits, symmetric, block: { rows: 1, columns: undefined } };
    case "group":
      return { bits, symmetric, block: { rows: 1, columns: groupOf(fields, "group_size") } };
    case "block": {
      const block = blockOf(fields, "block_structure");
      if (block) return { bits, symmetric, block };
    }
  }
  throw unsupported(fields, "strategy", '"tensor", "channel", "group" or "block"');
}

/** Fields that words and bytes have in common. */
function common({ name, module, N, K, stored }: Wanted, { bits, block }: Weights) {
  const order: CodeOrder = "rows";
  const group = block.columns ?? K;
  const G = groupsOf({ K, group });
  const perTensor = block.rows === undefined;
  const part = (suffix: string, dtypes: readonly string[], shape: readonly number[]) => ({
    name: `${module}.${suffix}`,
    dtypes,
    shape,
  });
  const scalar = stored("weight_scale")?.shape.every((n) => n === 1) ? stored("weight_scale")?.shape : [1];
  return {
    ...{ name, N, K, bits, group, order },
    scales: part("weight_scale", FLOATS, perTensor ? (scalar ?? [1]) : [N, G]),
    scaleAt: perTensor ? () => 0 : (n: number, g: number) => n * G + g,
    ...(stored("weight_g_idx") && { groupIndex: part("weight_g_idx", WORDS, [K]) }),
    ...(stored("bias") && { bias: part("bias", FLOATS, [N]) }),
    G,
    part,
  };
}

/** Codes in words along rows: the value plus half of the range. Zeros likewise, along the columns. */
function packedMatrix(wanted: Wanted, weights: Weights): StoredMatrix {
  const { G, part, ...matrix } = common(wanted, weights);
  const { N, K, bits } = matrix;
  const perWord = 32 / bits;
  return {
    ...matrix,
    meaning: "unsigned",
    codes: part("weight_packed", WORDS, [N, Math.ceil(K / perWord)]),
    zeros: weights.symmetric
      ? 2 ** (bits - 1)
      : {
          part: part("weight_zero_point", WORDS, [Math.ceil(N / perWord), G]),
          at: (words, n, g) =>
            (words[Math.floor(n / perWord) * G + g]! >>> (bits * (n % perWord))) & (2 ** bits - 1),
        },
  };
}

/** Codes as signed bytes, zeros likewise. */
function byteMatrix(wanted: Wanted, weights: Weights): StoredMatrix {
  const { G, part, ...matrix } = common(wanted, weights);
  const { N, K, scales, scaleAt } = matrix;
  return {
    ...matrix,
    meaning: "signed",
    codes: part("weight", ["I8"], [N, K]),
    zeros: weights.symmetric
      ? 128
      : {
          part: part("weight_zero_point", ["I8"], scales.shape),
          at: (words, n, g) => {
            const at = scaleAt(n, g);
            return 128 + ((words[at >> 2]! << (24 - 8 * (at % 4))) >> 24);
          },
        },
  };
}
