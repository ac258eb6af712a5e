// What says how a checkpoint is quantised: config.json, or a file beside it.
import { type CheckpointError, mismatch, show } from "../../errors.ts";
import { Fields } from "../../fields.ts";
import { isObject, type JsonObject, own } from "../../json.ts";
import { readJson } from "../../read-file.ts";
import type { Source } from "../../source.ts";
import { awq } from "./awq.ts";
import { compressedTensors } from "./compressed-tensors.ts";
import { configurationFiles } from "./configuration-files.ts";
import { fp8 } from "./fp8.ts";
import { gptq } from "./gptq.ts";
import { ADVICE, type Method } from "./method.ts";
import { mlx } from "./mlx.ts";

/** By `quant_method`. */
const METHODS: ReadonlyMap<unknown, (fields: Fields) => Method> = new Map([
  ["gptq", gptq],
  ["awq", awq],
  ["compressed-tensors", compressedTensors],
  ["fp8", fp8],
]);

/** @returns undefined if nothing says that the checkpoint is quantised */
export async function findConfiguration(
  source: Source,
  config: JsonObject,
  signal: AbortSignal | undefined,
): Promise<Fields | undefined> {
  for (const name of ["quantization_config", "quantization"]) {
    const found = own(config, name);
    if (isObject(found)) return new Fields(found, `config.json: ${name}`);
  }
  for (const file of configurationFiles) {
    const found = await readJson(source, file, signal);
    if (found) return new Fields(found, file);
  }
  return undefined;
}

/**
 * @param problem why the tensors are not those of ordinary weights
 * @throws CheckpointError naming the field, for methods and settings that Sirocco does not read
 */
export function methodOf(fields: Fields, problem: CheckpointError): Method {
  const field = fields.given("quant_method") ? "quant_method" : "method";
  const said = fields.get(field) ?? unnamed(fields);
  const method = METHODS.get(said) ?? (said === "mlx" ? mlx : undefined);
  if (method) return method(fields);
  const expected = `one of ${[...METHODS.keys()].join(", ")}, or ordinary weights`;
  throw mismatch(`${fields.where}: quant_method`, expected, `${show(said)} (${problem.message})`, ADVICE);
}

/** The method of a configuration that does not name it. */
function unnamed(fields: Fields): string | undefined {
  if (fields.given("mode") || fields.where.endsWith(": quantization")) return "mlx";
  if (fields.given("w_bit") || fields.given("zero_point")) return "awq";
  if (fields.given("bits") && (fields.given("desc_act") || fields.given("sym"))) return "gptq";
  return fields.given("bits") && fields.given("group_size") ? "mlx" : undefined;
}
