// GPTQ, as AutoGPTQ and GPTQModel store it: codes in words along the columns of the transposed matrix.
import type { Fields } from "../../fields.ts";
import { isObject } from "../../json.ts";
import { bitsOf, FLOATS, groupOf, type Method, multipleOf, unsupported, WORDS } from "./method.ts";
import { groupsOf } from "./stored-matrix.ts";

/**
 * What version 1 has subtracted from a word of zeros: 1 from each code, with borrows between them. Adding it
 * to the whole word undoes that, whichever program wrote it.
 */
const ONES = { 4: 0x11111111, 8: 0x01010101 } as const;

/** @throws CheckpointError naming the field */
export function gptq(fields: Fields): Method {
  const bits = bitsOf(fields, "bits");
  const given = groupOf(fields, "group_size");
  const format = fields.given("checkpoint_format") ? "checkpoint_format" : "format";
  const version = fields.get(format) ?? "gptq";
  if (version !== "gptq" && version !== "gptq_v2") throw unsupported(fields, format, '"gptq" or "gptq_v2"');
  if (fields.flag("is_marlin_format")) throw unsupported(fields, "is_marlin_format", "false");
  const dynamic = fields.get("dynamic");
  if (isObject(dynamic) && Object.keys(dynamic).length > 0)
    throw unsupported(fields, "dynamic", "the same settings for all matrices");
  if ((fields.get("pack_dtype") ?? "int32") !== "int32") throw unsupported(fields, "pack_dtype", '"int32"');
  const symmetric = fields.given("sym") ? fields.flag("sym") : true;
  const ones = version === "gptq" ? ONES[bits] : 0;
  const perWord = 32 / bits;
  const mask = 2 ** bits - 1;
  return {
    name: `GPTQ with ${bits} bits`,
    // Act-order with groups that were fixed before leaves their columns side by side.
    ordered: !fields.flag("desc_act") || fields.flag("static_groups"),
    matrix(wanted) {
      const { name, module, N, K, stored } = wanted;
      if (!stored("qweight")) return undefined;
      multipleOf(wanted, "columns", K, perWord);
      multipleOf(wanted, "rows", N, perWord);
      const group = given ?? K;
      const G = groupsOf({ K, group });
      return {
        ...{ name, N, K, bits, group, order: "columns", meaning: "unsigned" },
        codes: { name: `${module}.qweight`, dtypes: WORDS, shape: [K / perWord, N] },
        scales: { name: `${module}.scales`, dtypes: FLOATS, shape: [G, N] },
        scaleAt: (n, g) => g * N + n,
        zeros: {
          part: { name: `${module}.qzeros`, dtypes: WORDS, shape: [G, N / perWord] },
          at: (words, n, g) =>
            ((words[(g * N + n - (n % perWord)) / perWord]! + ones) >>> (bits * (n % perWord))) & mask,
        },
        ...(symmetric && { symmetric: 2 ** (bits - 1) }),
        ...(stored("g_idx") && { groupIndex: { name: `${module}.g_idx`, dtypes: WORDS, shape: [K] } }),
        ...(stored("bias") && { bias: { name: `${module}.bias`, dtypes: FLOATS, shape: [N] } }),
      };
    },
  };
}
