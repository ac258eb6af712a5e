// Every shader compiles, without a GPU, and every shader file is used by a kernel of allKernels.
import { expect, test } from "vitest";
import { kernelLabel, loadShaders, shaderCode } from "../../engine/gpu/dispatch.ts";
import {
  allKernels,
  cacheFormats,
  type Kernel,
  type MatmulVariant,
  type MatvecVariant,
  matmul,
  matmulVariants,
  matvec,
  matvecVariants,
  weightFormats,
} from "../../kernels/index.ts";
import { compact } from "../../scripts/wgsl-plugin.mjs";
import { openTestDevice } from "../helpers.ts";

/** Numbers of Mistral 7B, by their letters, and a context and rings as a server may have them. */
const MISTRAL = {
  T: 512,
  D: 4096,
  F: 14336,
  H: 32,
  G: 8,
  d: 128,
  V: 32768,
  B: 8,
  S: 32768,
  W: 4096,
  K: 14336,
  N: 4096,
};
const PARTS = { N0: 0, F0: 0, head0: 0, heads: 48, width: 14336 };

/** Mistral 7B's shapes, for every block of tokens. */
function mistralSizes(kernel: Kernel): object[] {
  const last = kernel.testSizes.at(-1)! as Record<string, number>;
  const full = Object.entries({ ...MISTRAL, ...PARTS }).filter(([name]) => name in last);
  const shape = { ...last, ...Object.fromEntries(full) };
  const inBlocks = [1, 2, 4, 8].map((tokensPerBlock) => ({ ...shape, T: tokensPerBlock, tokensPerBlock }));
  return "TOKENS" in (kernel.prelude?.(shape) ?? {}) ? inBlocks : [shape];
}

/**
 * Devices with these features and no others, and the least limits that WebGPU allows: 8 storage buffers,
 * 16 KiB of workgroup memory, 256 threads, bindings of 128 MiB. Dawn's null backend has no larger ones.
 */
const devices = new Map<string, Promise<GPUDevice>>();
const deviceWith = (features: readonly GPUFeatureName[]): Promise<GPUDevice> => {
  const key = features.join();
  const device = devices.get(key) ?? openTestDevice(["backend=null"], features);
  devices.set(key, device);
  return device;
};
const FEATURES: readonly GPUFeatureName[] = ["shader-f16", "subgroups"];

test("devices have the least limits", async () => {
  const { limits, features } = await deviceWith([]);
  expect(limits.maxStorageBuffersPerShaderStage).toBe(8);
  expect(limits.maxComputeWorkgroupStorageSize).toBe(16384);
  expect(limits.maxComputeInvocationsPerWorkgroup).toBe(256);
  expect(limits.maxStorageBufferBindingSize).toBe(128 * 2 ** 20);
  expect(FEATURES.filter((feature) => features.has(feature))).toEqual([]);
  const full = await deviceWith(FEATURES);
  expect(FEATURES.filter((feature) => full.features.has(feature))).toEqual(FEATURES);
});

test.each(allKernels.map((kernel) => [kernelLabel(kernel), kernel] as const))(
  "%s compiles",
  async (_, kernel) => {
    // As written, and as the build minifies it.
    const built = { ...kernel, source: (await loadShaders(kernel.source)).map(compact) };
    const [first] = kernel.testSizes as [object];
    const requires = kernel.requires ?? [];
    const sizes = mistralSizes(kernel);
    const [needed, full] = [await deviceWith(requires), await deviceWith(FEATURES)];
    // On a device with one of the features, at the first size.
    const others = FEATURES.filter((feature) => requires.every((each) => each === feature));
    await Promise.all([
      ...[...kernel.testSizes, ...sizes].map((size) => compile(needed, kernel, size)),
      // At other sizes it would be the same shader with other constants.
      compile(full, built, first),
      ...others.map(async (feature) => compile(await deviceWith([feature]), built, first)),
    ]);
  },
);

// Dawn cannot be told a subgroup size: a shader of a variant made for one has it as a constant.
test("each variant made for one subgroup size is compiled for that size", async () => {
  for (const [name, variants] of Object.entries({ matvec: matvecVariants, matmul: matmulVariants })) {
    for (const [variant, { subgroupSize }] of Object.entries(variants)) {
      if (!subgroupSize) continue;
      const made = allKernels.filter(
        (kernel) => kernel.name === name && kernel.variant?.endsWith(`_${variant}`),
      );
      expect(made.length, `${name} ${variant}`).toBeGreaterThanOrEqual(Object.keys(weightFormats).length);
      for (const kernel of made) {
        expect(kernel.subgroupSize, kernelLabel(kernel)).toBe(subgroupSize);
        const code = await shaderCode(kernel, kernel.testSizes[0]!);
        expect(code, kernelLabel(kernel)).toContain(`const SUBGROUP: u32 = ${subgroupSize};`);
      }
    }
  }
});

const modulesOf = new Map<GPUDevice, Map<string, GPUShaderModule>>();

async function compile(device: GPUDevice, kernel: Kernel, size: object): Promise<void> {
  const code = await shaderCode(kernel, size);
  const modules = modulesOf.get(device) ?? new Map<string, GPUShaderModule>();
  modulesOf.set(device, modules);
  const module = modules.get(code) ?? device.createShaderModule({ label: kernel.name, code });
  modules.set(code, module);
  const { messages } = await module.getCompilationInfo();
  const errors = messages.filter(({ type }) => type === "error");
  expect(errors.map(({ lineNum, message }) => `${lineNum}: ${message}`)).toEqual([]);
  const compute = { module, constants: kernel.constants(size) };
  await device.createComputePipelineAsync({ layout: "auto", compute });
}

test("no kernel stores more than 8 buffers or is listed twice", () => {
  const labels = allKernels.map(kernelLabel);
  expect(new Set(labels).size).toBe(labels.length);
  for (const kernel of allKernels)
    expect(kernel.bindings(kernel.testSizes[0]!).length, kernelLabel(kernel)).toBeLessThanOrEqual(8);
});

test("without an addend, a kernel has one binding less, and a shader that differs in an identity", async () => {
  const byLabel = new Map(allKernels.map((kernel) => [kernelLabel(kernel), kernel]));
  const made = allKernels.filter((kernel) => /_(bias|delta)$/.test(kernelLabel(kernel)));
  expect(new Set(made.map(({ name }) => name))).toEqual(new Set(["matvec", "gate_up", "qkv", "matmul"]));
  for (const kernel of made) {
    const plain = byLabel.get(kernelLabel(kernel).replace(/_(bias|delta)$/, ""))!;
    const size = kernel.testSizes[0]!;
    const slots = (each: Kernel) => each.bindings(size).map(({ slot }) => slot);
    expect(slots(plain)).not.toContain(5);
    expect(slots(kernel).filter((slot) => slot !== 5)).toEqual(slots(plain));
    expect(Object.keys(plain.constants(size))).not.toContain("ADDEND_STRIDE");
    const files = new Set(await loadShaders(kernel.source));
    const own = (await loadShaders(plain.source)).filter((file) => !files.has(file)).map(compact);
    expect(own).toEqual([
      "fn with_addend(sum:f32,t:u32,column:u32)->f32{return sum;}fn product_gain(t:u32,column:u32)->f32{return 1;}",
    ]);
    expect(plain.source.length).toBe(kernel.source.length);
  }
});

test("attention declares a cache that it only reads as read-only", async () => {
  const readers = allKernels.filter(({ name }) => ["attention_tile", "attention_weights"].includes(name));
  expect(readers.length).toBe(2 * Object.keys(cacheFormats).length);
  for (const kernel of readers)
    expect(await shaderCode(kernel, kernel.testSizes[0]!)).toMatch(/var<storage, read> cache\b/);
});

test("rows are read 16 bytes at a time only where entries and scales are whole 16 bytes", () => {
  const fitting = (name: "f16" | "q8") =>
    [2, 6, 12, 64, 80, 96, 112, 128, 130, 256].filter((d) => cacheFormats[name].wide?.fits(d));
  expect(fitting("f16")).toEqual([6, 64, 80, 96, 112, 128, 256]);
  expect(fitting("q8")).toEqual([128, 256]);
  expect(cacheFormats.q8.wide?.units(128)).toBe(9);
});

test("an unknown variant throws", () => {
  const { q4 } = weightFormats;
  expect(() => matmul(q4, "tiles" as MatmulVariant)).toThrow(TypeError);
  expect(() => matvec(q4, "lanes" as MatvecVariant)).toThrow(TypeError);
});

const files = import.meta.glob<string>("../../kernels/**/*.wgsl", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** Writes to one component of a vector in memory that threads share. */
function componentWrites(shader: string): string[] {
  const shared = shader.matchAll(/var<(?:workgroup|storage, read_write)> (\w+): ((?:array<)+)vec[234]/g);
  return [...shared].flatMap(([, name, arrays = ""]) => {
    const index = "\\[[^\\]]*\\]".repeat(arrays.length / "array<".length);
    const write = new RegExp(
      `\\b${name}${index}(?:\\.[xyzw]|\\[[^\\]]*\\])\\s*(?:[-+*/|&^]|<<|>>)?=(?!=).*`,
      "g",
    );
    return [...shader.matchAll(write)].map(([found]) => found);
  });
}

// WGSL lets a write to a component touch the whole vector (gpuweb issue 2112): on Metal and Direct3D, threads
// that write components of one vector lose each other's values.
test.each(Object.entries(files))("%s writes whole vectors to shared memory", (_, shader) => {
  expect(componentWrites(shader)).toEqual([]);
});

test("writes to a component of a shared vector are found", () => {
  const shader =
    "var<workgroup> a: array<vec4f, 64>;\nvar<storage, read_write> b: array<array<vec2u, 2>, 3>;\n";
  expect(componentWrites(`${shader}a[row][k] = 1; `)).toHaveLength(1);
  expect(componentWrites(`${shader}a[row].y += 1; `)).toHaveLength(1);
  expect(componentWrites(`${shader}b[i][j].x = 1; `)).toHaveLength(1);
  expect(componentWrites(`${shader}a[row] = vec4f(); b[i][j] = v; if (a[row].x == 1) {}`)).toEqual([]);
});

/** Overrides whose value, and workgroup arrays whose length, is computed from overrides. */
function computedFromOverrides(shader: string): string[] {
  const overrides = new Set([...shader.matchAll(/\boverride (\w+)/g)].map(([, name]) => name));
  const names = (text: string) => (text.match(/\w+/g) ?? []).filter((word) => overrides.has(word));
  const values = [...shader.matchAll(/\boverride \w+(?:: \w+)? = ([^;]+);/g)].map(([, value]) => value!);
  const lengths = [...shader.matchAll(/var<workgroup> \w+: array<.*, ([^,]+)>;/g)].map(
    ([, length]) => length!,
  );
  return [
    ...values.filter((value) => names(value).length > 0),
    ...lengths.filter((length) => names(length).length > 0 && !/^\w+$/.test(length)),
  ];
}

// naga 29 (Firefox 153, Deno 2.9) panics if an override is declared after an array whose length is an
// expression of overrides. WebKit evaluates expressions of overrides only since January 2026 (its pull
// request 57042). So the host computes them.
test("no override and no length of a workgroup array is computed from overrides", async () => {
  for (const kernel of allKernels) {
    const code = await shaderCode(kernel, kernel.testSizes[0]!);
    expect(computedFromOverrides(code), kernelLabel(kernel)).toEqual([]);
  }
});

test("what is computed from overrides is found", () => {
  const found = (text: string) => computedFromOverrides(`override N: u32;\nconst C = 2u;\n${text}`);
  expect(found("var<workgroup> a: array<vec4f, C * N>;")).toEqual(["C * N"]);
  expect(found("var<workgroup> a: array<array<f32, 4>, N + 1>;")).toEqual(["N + 1"]);
  expect(found("override M: u32 = N;")).toEqual(["N"]);
  expect(found("override M: u32 = (N + 3) / C;")).toEqual(["(N + 3) / C"]);
  expect(found("var<workgroup> a: array<vec4f, N>; var<workgroup> b: array<vec4f, C * 2>;")).toEqual([]);
  expect(found("override M: u32 = 64; override L = 0xffffffff;")).toEqual([]);
});

// A compiler may contract or reorder the sums of `dot` differently in each pipeline.
test("kernels with a pipeline for each block size add their products by fma", async () => {
  const perBlock = allKernels.filter(
    ({ prelude, testSizes: [size] }) => "TOKENS" in (prelude?.(size!) ?? {}),
  );
  const sources = new Set((await Promise.all(perBlock.map(({ source }) => loadShaders(source)))).flat());
  expect(sources.size).toBeGreaterThan(0);
  expect([...sources].filter((shader) => /\bdot\(/.test(shader))).toEqual([]);
});

test("no shader file is left out of allKernels", async () => {
  const used = new Set((await Promise.all(allKernels.map(({ source }) => loadShaders(source)))).flat());
  for (const [path, text] of Object.entries(files)) expect(used.has(text), path).toBe(true);
});
