// `npm run bench -- cpu-kernels [--no-relaxed] [FORMAT …]`: how fast the CPU device's matrix products are on
// one thread, in GB/s of weights and GFLOP/s; with --no-relaxed as where relaxed SIMD is not known. It counts
// the time of the process, so that other programs disturb it less.
import { createServer } from "vite";
import { root } from "../../scripts/setup.mjs";

/** @typedef {import("../../kernels/index.ts").WeightFormat} WeightFormat */

/** Tokens, rows and columns of a product. */
const SHAPES = [
  { T: 1, N: 1024, K: 768 },
  { T: 1, N: 4096, K: 4096 },
  { T: 1, N: 1024, K: 14336 },
  { T: 1, N: 2048, K: 960 },
  { T: 2, N: 1024, K: 4096 },
  { T: 8, N: 1024, K: 4096 },
  { T: 64, N: 1024, K: 1024 },
  { T: 512, N: 256, K: 4096 },
];
/** The least of so many turns of so many milliseconds counts. */
const TURNS = 5;
const TURN_MS = 100;

const SCRATCH_BYTES = 2 ** 24;
const PAGE = 2 ** 16;
// The sources: dist/ does not have all that this needs.
const vite = await createServer({
  root,
  appType: "custom",
  server: { middlewareMode: true, watch: null },
  optimizeDeps: { noDiscovery: true },
  logLevel: "error",
});
const load = (/** @type {string} */ file) => vite.ssrLoadModule(`/kernels/${file}`);
const { matmul, matvec, weightContents, weightFormats } =
  /** @type {typeof import("../../kernels/index.ts")} */ (await load("index.ts"));
const { operations } = /** @type {typeof import("../../kernels/cpu/index.ts")} */ (
  await load("cpu/index.ts")
);
const { instantiate } = /** @type {typeof import("../../kernels/cpu/compiled.ts")} */ (
  await load("cpu/compiled.ts")
);
const { compileModules } = /** @type {typeof import("../../kernels/cpu/modules.ts")} */ (
  await load("cpu/modules.ts")
);
const relaxed = !process.argv.includes("--no-relaxed");
if (relaxed) {
  const { allowRelaxedSimd } = /** @type {typeof import("../../engine/cpu/node-simd.ts")} */ (
    await vite.ssrLoadModule("/engine/cpu/node-simd.ts")
  );
  allowRelaxedSimd();
}
const modules = await compileModules(false, relaxed);
const names = process.argv.slice(3).filter((name) => !name.startsWith("--"));

for (const format of Object.values(weightFormats)) {
  if (names.length > 0 && !names.includes(format.name)) continue;
  for (const size of SHAPES) {
    const many = size.T > 8;
    const kernel = many
      ? matmul(format, format.int8 ? "tile_int8" : "tile")
      : matvec(format, format.int8 ? "stream_int8" : "stream");
    const bytes = format.bindings(size.N, size.K).reduce((sum, { length }) => sum + 4 * length, 0);
    const seconds = secondsOf(kernel, format, size);
    const rate = (/** @type {number} */ count, /** @type {string} */ unit) =>
      `${(count / seconds / 1e9).toFixed(1).padStart(6)} ${unit}`;
    const shape = `T ${size.T}, ${size.N} x ${size.K}`;
    const flops = 2 * size.T * size.N * size.K;
    console.log(
      `${format.name.padEnd(7)} ${shape.padEnd(20)} ${rate(bytes, "GB/s")} ${rate(flops, "GFLOP/s")}`,
    );
  }
}
await vite.close();

/**
 * Of a launch on one thread.
 * @param {import("../../kernels/index.ts").Kernel<typeof SHAPES[number]>} kernel
 * @param {WeightFormat} format
 * @param {typeof SHAPES[number]} size
 */
function secondsOf(kernel, format, size) {
  const bindings = kernel.bindings(size);
  const total = bindings.reduce((sum, { length }) => sum + 4 * length + 64, 64 + SCRATCH_BYTES);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(total / PAGE) + 1, maximum: 2 ** 16 });
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  const thread = {
    isNear: true,
    compiled: instantiate(modules, memory),
    heap: viewsOf(memory, 0, memory.buffer.byteLength),
    scratch: () => 64,
  };
  let next = 64 + SCRATCH_BYTES;
  const operands = bindings.map((binding) => {
    const address = next;
    next += Math.ceil((4 * binding.length) / 64) * 64;
    const operand = { ...viewsOf(memory, address, 4 * binding.length), address, home: thread };
    const content = weightContents(format, size.N, size.K, binding.name, random);
    if (content) operand.u32.set(new Uint32Array(content.buffer));
    else if (binding.name === "codes") operand.u32.set(Uint32Array.from(operand.u32, random));
    else operand.f32.fill(0.01);
    return operand;
  });
  const call = /** @type {import("../../kernels/kernel.ts").CpuCall} */ (kernel.cpu);
  const phases = operations[call.op]?.(call, size, operands, thread) ?? [];
  let least = Infinity;
  for (let turn = 0; turn < TURNS; turn++) {
    const start = spent();
    let runs = 0;
    do {
      for (const { items, run } of phases) run(0, items);
      runs++;
    } while (spent() - start < TURN_MS / 1000);
    least = Math.min(least, (spent() - start) / runs);
  }
  return least;
}

/**
 * @param {WebAssembly.Memory} memory
 * @param {number} address
 * @param {number} bytes
 */
function viewsOf({ buffer }, address, bytes) {
  return {
    u8: new Uint8Array(buffer, address, bytes),
    u32: new Uint32Array(buffer, address, bytes / 4),
    f32: new Float32Array(buffer, address, bytes / 4),
  };
}

/** Seconds that the process has computed. */
function spent() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
