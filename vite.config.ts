// The library build, and the test projects: one for the CPU, one for each driver of this machine.
import { availableParallelism } from "node:os";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";
import { type Driver, findDrivers } from "./scripts/drivers.mjs";
import { findHosts, type Hosts } from "./scripts/hosts.mjs";
import { assembleWat } from "./scripts/wat-plugin.mjs";
import { compactShaders } from "./scripts/wgsl-plugin.mjs";

/** Tests in programs with a WebGPU of their own: Chromium on its own SwiftShader, wgpu's on lavapipe. */
const HOST_TESTS: Readonly<Record<keyof Hosts, string[]>> = {
  chromium: ["test/**/*.browser.test.ts"],
  firefox: ["test/**/*.firefox.test.ts", "test/**/*.wgpu.test.ts"],
  deno: ["test/**/*.wgpu.test.ts"],
};
const IN_HOSTS = Object.values(HOST_TESTS).flat();
/** Tests that need a device, except files named *.cpu.test.ts. All other tests need none. */
const DEVICE_TESTS = ["test/{kernels,engine,cli,bench,server,docs}/**/!(*.cpu).test.ts"];
/** The device that computes on the CPU, on the thread of the tests: the fastest of all that run here. */
const ON_CPU = { SIROCCO_DRIVER: "wasm", SIROCCO_ADAPTER: "cpu", SIROCCO_THREADS: "0" };
/** Tests of shaders, of drivers' names and timestamps, and of bits that a matrix in more parts has. */
const NOT_ON_CPU = ["test/engine/{device-errors,inspect,stored,tune,variant-bench}.test.ts"];
/** Tests of what no device changes: programs, servers, shapes of APIs, texts, files, what formats lose. */
const ONLY_ON_CPU = [
  "test/cli/{eval,screen}.test.ts",
  "test/server/!(clients).test.ts",
  "test/engine/{ai-sdk,broken,classify,forced,mended,merge,openai,plan,prompt-api,prompts}.test.ts",
  "test/engine/{quality,readers,tensor-table,thinking,token-order}.test.ts",
];
/** Tests of numbers that a driver without f16, and with few lanes in a subgroup, may compute otherwise. */
const ON_EVERY_DRIVER = [
  "test/kernels/**/!(*.cpu).test.ts",
  "test/engine/{families,golden,golden-variants,token-blocks,variant-bench}.test.ts",
];
/** The fastest driver runs all that need one; the others what may differ there, or all if asked to. */
const testsOf = (driver: number) =>
  driver === 0 || process.env["SIROCCO_ALL_CASES"] === "1" ? DEVICE_TESTS : ON_EVERY_DRIVER;

const CLOSE_DEVICES = "test/setup/close-devices.ts";

export default defineConfig(async () => ({
  publicDir: false as const,
  plugins: [compactShaders(), assembleWat()],
  // Not a bundle: each source file becomes a module, dependencies stay imports, shaders are inlined.
  build: {
    ssr: true,
    target: "es2023",
    minify: false,
    sourcemap: true,
    emptyOutDir: true,
    rolldownOptions: {
      input: [
        "engine/index.ts",
        "engine/node.ts",
        "engine/model-worker.ts",
        "engine/hash-worker.ts",
        "engine/cpu-thread.ts",
        "engine/cpu-worker.ts",
        "engine/ai-sdk.ts",
        "engine/workers-ai.ts",
        "engine/prompt-api.ts",
        "cli/main.ts",
      ],
      external: /^(?![./\0]|[A-Za-z]:)/,
      output: {
        format: "esm" as const,
        preserveModules: true,
        preserveModulesRoot: ".",
        entryFileNames: ({ facadeModuleId }: { facadeModuleId?: string | null }) =>
          facadeModuleId?.endsWith(".wgsl?raw") ? "[name].wgsl.js" : "[name].js",
      },
    },
  },
  ...(process.env["VITEST"] ? { test: await tests() } : {}),
}));

async function tests() {
  const given = process.env["SIROCCO_DRIVERS"];
  const drivers: Driver[] = given ? JSON.parse(given) : (await findDrivers()).drivers;
  const others = process.env["SIROCCO_HOSTS"];
  const hosts: Hosts = others ? JSON.parse(others) : findHosts(drivers);
  const able = (Object.keys(hosts) as (keyof Hosts)[]).filter((name) => "path" in hosts[name]);
  return {
    // Kernels use all cores anyway. More workers use them while one checks results, or waits for a browser.
    maxWorkers: Math.min(4, availableParallelism() + 1),
    pool: "forks" as const,
    // Files of a project share what they import: to import it again takes a second a file.
    isolate: false,
    sequence: { sequencer: (await import("./test/setup/slowest-first.ts")).default },
    projects: [
      project("cpu", {}, ["test/**/*.test.ts"], [...DEVICE_TESTS, ...IN_HOSTS], {
        setupFiles: [CLOSE_DEVICES],
      }),
      ...drivers.map(({ name, env }, i) => {
        const exclude = [...IN_HOSTS, ...ONLY_ON_CPU];
        const setupFiles = [CLOSE_DEVICES, "test/setup/calm-polling.ts"];
        return project(name, { ...env, SIROCCO_DRIVER: name }, testsOf(i), exclude, { setupFiles });
      }),
      project("wasm", ON_CPU, DEVICE_TESTS, [...IN_HOSTS, ...NOT_ON_CPU]),
      ...able.map((name) => hostProject(name, hosts[name], able)),
    ],
  };
}

function project(
  name: string,
  env: Record<string, string>,
  include: string[],
  exclude: string[],
  more: { setupFiles?: string[]; expect?: { poll: { timeout: number } } } = {},
): TestProjectConfiguration {
  return {
    extends: true,
    test: {
      name,
      env,
      include,
      exclude: ["**/node_modules/**", ...exclude],
      environment: "node",
      testTimeout: 120_000,
      hookTimeout: 120_000,
      ...more,
    },
  };
}

const hostProject = (
  name: keyof Hosts,
  host: Hosts[keyof Hosts],
  able: readonly (keyof Hosts)[],
): TestProjectConfiguration => {
  const env = {
    SIROCCO_PROJECT: name,
    SIROCCO_PROJECTS: able.join(),
    [`SIROCCO_${name.toUpperCase()}`]: JSON.stringify(host),
  };
  // Two browsers at once may take longer than Vitest's second.
  return project(name, env, HOST_TESTS[name], [], { expect: { poll: { timeout: 10_000 } } });
};
