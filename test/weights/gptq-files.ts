// The tensors of a GPTQ fixture, to make others of them, and its weights in plain loops.
import { f16ToNumber } from "../../kernels/formats/half.ts";
import { filesOf, join, split } from "./memory-source.ts";

interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}
export type Stores = Map<string, Stored>;

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: [number, number];
}

const FOLDER = "test/golden/quantised/gptq_4bit_desc_act_g32";

/** The tensors of a fixture in act-order. */
export function actOrderTensors(): Stores {
  const { header, data } = split(filesOf(FOLDER)["model.safetensors"]!);
  const entries = Object.entries(JSON.parse(header) as Record<string, Entry>);
  return new Map(
    entries
      .filter(([name]) => name !== "__metadata__")
      .map(([name, { dtype, shape, data_offsets }]) => [
        name,
        { dtype, shape, bytes: data.slice(...data_offsets) },
      ]),
  );
}

/** Gives q, k and v biases, which makes the model a Qwen2. */
export function withBiases(tensors: Stores): Stores {
  for (const module of modulesOf(tensors).filter((name) => /[qkv]_proj$/.test(name))) {
    const values = Float32Array.from(
      { length: weightsOf(tensors, module).shape[0]! },
      (_, n) => (n % 7) / 4 - 0.5,
    );
    const bytes = new Uint8Array(values.buffer);
    tensors.set(`${module}.bias`, { dtype: "F32", shape: [values.length], bytes });
  }
  return tensors;
}

/** The fixture's files with these tensors. @param plain without its quantization_config */
export function filesWith(tensors: Stores, plain = false): Record<string, Uint8Array> {
  const files = filesOf(FOLDER);
  let at = 0;
  const entries = [...tensors].map(([name, { dtype, shape, bytes }]) => {
    at += bytes.length;
    return [name, { dtype, shape, data_offsets: [at - bytes.length, at] }];
  });
  const data = new Uint8Array(Buffer.concat([...tensors.values()].map(({ bytes }) => bytes)));
  files["model.safetensors"] = join(JSON.stringify(Object.fromEntries(entries)), data);
  const config = JSON.parse(new TextDecoder().decode(files["config.json"]));
  if (plain) delete config.quantization_config;
  if ([...tensors.keys()].some((name) => name.endsWith(".bias")))
    Object.assign(config, { architectures: ["Qwen2ForCausalLM"], model_type: "qwen2" });
  files["config.json"] = new TextEncoder().encode(JSON.stringify(config));
  return files;
}

/** Modules that are quantised. */
export const modulesOf = (tensors: Stores): string[] =>
  [...tensors.keys()].flatMap((name) => /^(.*)\.qweight$/.exec(name)?.[1] ?? []);

/** A module's weights, f32 [N, K]: (code − 8) · scale. */
export function weightsOf(tensors: Stores, module: string): Stored {
  const words = (name: string) => new Uint32Array(tensors.get(`${module}.${name}`)!.bytes.slice().buffer);
  const scales = new Uint16Array(tensors.get(`${module}.scales`)!.bytes.slice().buffer);
  const [codes, groups] = [words("qweight"), words("g_idx")];
  const [K, N] = [groups.length, tensors.get(`${module}.scales`)!.shape[1]!];
  const values = new Float32Array(N * K);
  for (let n = 0; n < N; n++) {
    for (let k = 0; k < K; k++) {
      const code = (codes[Math.floor(k / 8) * N + n]! >>> (4 * (k % 8))) & 15;
      values[n * K + k] = (code - 8) * f16ToNumber(scales[groups[k]! * N + n]!);
    }
  }
  return { dtype: "F32", shape: [N, K], bytes: new Uint8Array(values.buffer) };
}

/** A copy in which these modules are floats. */
export function dequantised(tensors: Stores, modules: readonly string[]): Stores {
  const result: Stores = new Map(
    [...tensors].filter(
      ([name]) => !modules.some((module) => new RegExp(`^${module}\\.(?!bias)`).test(name)),
    ),
  );
  for (const module of modules) result.set(`${module}.weight`, weightsOf(tensors, module));
  return result;
}
