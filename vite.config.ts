// The library build, and the test projects: one for the CPU, one for each driver of this machine.
import { availableParallelism } from "node:os";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";
import { type Chromium, findChromium } from "./scripts/chromium.mjs";
import { type Driver, findDrivers } from "./scripts/drivers.mjs";
import { type Firefox, findFirefox } from "./scripts/firefox.mjs";
import { compactShaders } from "./scripts/wgsl-plugin.mjs";

/** Tests that drive Chromium, on its own SwiftShader. */
const BROWSER_TESTS = ["test/**/*.browser.test.ts"];
/** Tests that drive Firefox, on lavapipe. */
const FIREFOX_TESTS = ["test/**/*.firefox.test.ts"];
const IN_BROWSERS = [...BROWSER_TESTS, ...FIREFOX_TESTS];
/** Tests that need a driver, except files named *.cpu.test.ts. All other tests need none. */
const GPU_TESTS = ["test/{kernels,engine,cli,bench,server,docs}/**/!(*.cpu).test.ts"];
/** GPU tests that do not compare numbers of kernels: they run on the fastest driver only. */
const ONCE = [
  "test/{cli,bench,server,docs}/**",
  "test/engine/{ai-sdk,broken,constraint,device-errors,device-loss,generate,inspect,mended,openai}.test.ts",
  "test/engine/{plan,profile,prompts,readers,scheduler,session,stored,tensor-table}.test.ts",
];

export default defineConfig(async () => ({
  publicDir: false as const,
  plugins: [compactShaders()],
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
        "engine/ai-sdk.ts",
        "engine/workers-ai.ts",
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
  const browser = process.env["SIROCCO_CHROMIUM"];
  const chromium: Chromium | { why: string } = browser ? JSON.parse(browser) : findChromium();
  const other = process.env["SIROCCO_FIREFOX"];
  const firefox: Firefox | { why: string } = other ? JSON.parse(other) : findFirefox(drivers);
  return {
    // Kernels use all cores anyway. More workers use them while one checks results.
    maxWorkers: Math.min(4, availableParallelism()),
    pool: "forks" as const,
    projects: [
      project("cpu", {}, ["test/**/*.test.ts"], [...GPU_TESTS, ...IN_BROWSERS]),
      ...drivers.map(({ name, env }, i) => {
        const exclude = i === 0 ? IN_BROWSERS : [...IN_BROWSERS, ...ONCE];
        return project(name, { ...env, SIROCCO_DRIVER: name }, GPU_TESTS, exclude);
      }),
      ...("path" in chromium ? [browserProject("chromium", chromium, BROWSER_TESTS)] : []),
      ...("path" in firefox ? [browserProject("firefox", firefox, FIREFOX_TESTS)] : []),
    ],
  };
}

function project(
  name: string,
  env: Record<string, string>,
  include: string[],
  exclude: string[],
  more: { fileParallelism?: boolean } = {},
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

/** One page at a time: pages are timed, and the driver of each takes all cores. */
const browserProject = (
  name: string,
  found: Chromium | Firefox,
  include: string[],
): TestProjectConfiguration =>
  project(name, { [`SIROCCO_${name.toUpperCase()}`]: JSON.stringify(found) }, include, [], {
    fileParallelism: false,
  });
