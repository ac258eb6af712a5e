// MLX's affine quantisation: rows of codes, a scale and an offset for each group. Embedding and lm_head, too.
import { Fields } from "../../fields.ts";
import { isObject } from "../../json.ts";
import { bitsOf, FLOATS, groupOf, type Method, multipleOf, unsupported, WORDS } from "./method.ts";
import { groupsOf } from "./stored-matrix.ts";

/** @throws CheckpointError naming the field */
export function mlx(fields: Fields): Method {
  const settings = (each: Fields) => {
    if ((each.get("mode") ?? "affine") !== "affine") throw unsupported(each, "mode", '"affine"');
    return { bits: bitsOf(each, "bits"), group: each.given("group_size") ? groupOf(each, "group_size") : 64 };
  };
  const common = settings(fields);
  return {
    name: `MLX with ${common.bits} bits`,
    ordered: true,
    matrix(wanted) {
      const { name, module, N, K, stored } = wanted;
      if (!stored("scales") && stored("weight")?.dtype !== "U32") return undefined;
      const entry = fields.get(module);
      const { bits, group = K } = isObject(entry)
        ? settings(new Fields(entry, `${fields.where}: ${module}`))
        : common;
      const perWord = 32 / bits;
      multipleOf(wanted, "columns", K, perWord);
      const G = groupsOf({ K, group });
      return {
        ...{ name, N, K, bits, group, order: "rows", meaning: "unsigned", zeros: 0 },
        codes: { name: `${module}.weight`, dtypes: WORDS, shape: [N, K / perWord] },
        scales: { name: `${module}.scales`, dtypes: FLOATS, shape: [N, G] },
        scaleAt: (n, g) => n * G + g,
        offsets: { name: `${module}.biases`, dtypes: FLOATS, shape: [N, G] },
      };
    },
  };
}
