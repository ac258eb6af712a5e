// AWQ, as AutoAWQ's GEMM version stores it: words of eight rows, in an order of nibbles of their own.
import type { Fields } from "../../fields.ts";
import { NIBBLE_OF_ROW } from "./codes.ts";
import { FLOATS, groupOf, type Method, multipleOf, unsupported, WORDS } from "./method.ts";
import { groupsOf } from "./stored-matrix.ts";

/** @throws CheckpointError naming the field */
export function awq(fields: Fields): Method {
  const bits = fields.given("w_bit") ? "w_bit" : "bits";
  if (fields.get(bits) !== 4) throw unsupported(fields, bits, "4");
  const version = fields.get("version") ?? "gemm";
  if (typeof version !== "string" || version.toLowerCase() !== "gemm")
    throw unsupported(fields, "version", '"gemm"');
  if ((fields.get("backend") ?? "autoawq") !== "autoawq") throw unsupported(fields, "backend", '"autoawq"');
  const given = groupOf(fields, fields.given("q_group_size") ? "q_group_size" : "group_size");
  return {
    name: "AWQ with 4 bits",
    ordered: true,
    matrix(wanted) {
      const { name, module, N, K, stored } = wanted;
      if (!stored("qweight")) return undefined;
      multipleOf(wanted, "rows", N, 8);
      const group = given ?? K;
      const G = groupsOf({ K, group });
      return {
        ...{ name, N, K, bits: 4, group, order: "column_octets", meaning: "unsigned" },
        codes: { name: `${module}.qweight`, dtypes: WORDS, shape: [K, N / 8] },
        scales: { name: `${module}.scales`, dtypes: FLOATS, shape: [G, N] },
        scaleAt: (n, g) => g * N + n,
        zeros: {
          part: { name: `${module}.qzeros`, dtypes: WORDS, shape: [G, N / 8] },
          at: (words, n, g) => (words[(g * N + n - (n % 8)) / 8]! >>> (4 * NIBBLE_OF_ROW[n % 8]!)) & 15,
        },
        ...(stored("bias") && { bias: { name: `${module}.bias`, dtypes: FLOATS, shape: [N] } }),
      };
    },
  };
}
