// `npm test`: every test, on the adapters of this machine. `--driver NAME` chooses adapters, "cpu" (tests
// that need no device), "wasm" (tests on the CPU device) or "chromium" (tests in a browser). All other
// arguments go to Vitest.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuild } from "./build.mjs";
import { ensureChromium } from "./chromium.mjs";
import { findDrivers } from "./drivers.mjs";
import { findHosts, NOT_ADAPTERS } from "./hosts.mjs";
import { findNginx } from "./nginx.mjs";
import { ensureDependencies, root, run } from "./setup.mjs";

/** @typedef {import("../test/setup/reporter.ts").Summary} Summary */

/** Projects without an adapter of WebGPU: on no device, and on the CPU device. */
const WITHOUT_DRIVER = ["cpu", "wasm"];
/** Projects that do not count as adapters of this machine. */
const OTHERS = [...WITHOUT_DRIVER, ...NOT_ADAPTERS];

/** Projects that may need the package with a Chromium and SwiftShader. */
const CARRIED = ["chromium", "swiftshader"];

/** Skipped tests that are listed by name; none if a filter by name skips hundreds. */
const MAX_SKIPPED_NAMES = process.argv.some((arg) => /^(-t|--testNamePattern)\b/.test(arg)) ? 0 : 50;

const { chosen, rest } = parseArgs(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), "sirocco-test-"));
try {
  await ensureDependencies();
  if (chosen.length === 0 || chosen.some((name) => CARRIED.includes(name))) await ensureChromium();
  const { drivers, missing } = await findDrivers();
  for (const { name, adapter } of drivers) console.log(`adapter  ${name}: ${adapter}`);
  for (const { name, why } of missing) console.log(`no       ${name}: ${why}`);
  const hosts = findHosts(drivers);
  for (const [name, host] of Object.entries(hosts)) {
    const kind = NOT_ADAPTERS.includes(name) ? "browser" : "adapter";
    if ("path" in host) console.log(`${kind}  ${name}: ${host.version}, ${host.path}`);
    else console.log(`no       ${name}: ${host.why}`);
  }
  const nginx = findNginx();
  if ("path" in nginx) console.log(`proxy    nginx: ${nginx.version}, ${nginx.path}`);
  else console.log(`no       nginx: ${nginx.why}`);
  const known = [
    ...WITHOUT_DRIVER,
    ...drivers.map(({ name }) => name),
    ...Object.entries(hosts).flatMap(([name, host]) => ("path" in host ? [name] : [])),
  ];
  const unknown = chosen.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`This machine has no driver "${unknown.join('", "')}".`);
  // The tests of the command line and of the package run the build.
  const errors = (await ensureBuild({ types: true })) ? [] : ["the build failed: see above"];
  process.exitCode = report(await vitest(drivers, hosts), errors);
} catch (error) {
  console.error(/** @type {Error} */ (error).message);
  process.exitCode = report(undefined, []);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @param {string[]} args */
function parseArgs(args) {
  /** @type {string[]} */
  const chosen = [];
  const rest = args.filter((arg, i) => {
    if (args[i - 1] === "--driver") chosen.push(...arg.split(","));
    else if (arg.startsWith("--driver=")) chosen.push(...arg.slice("--driver=".length).split(","));
    else return arg !== "--driver";
    return false;
  });
  return { chosen, rest };
}

/**
 * @param {import("./drivers.mjs").Driver[]} drivers
 * @param {import("./hosts.mjs").Hosts} hosts
 * @returns {Promise<Summary | undefined>} undefined: it ended without a summary
 */
async function vitest(drivers, hosts) {
  const summary = join(folder, "summary.json");
  const reporters = ["--reporter=default", "--reporter=./test/setup/reporter.ts"];
  const projects = chosen.flatMap((name) => ["--project", name]);
  const args = [
    join(root, "node_modules", "vitest", "vitest.mjs"),
    "run",
    ...reporters,
    ...projects,
    ...rest,
  ];
  const env = {
    SIROCCO_DRIVERS: JSON.stringify(drivers),
    SIROCCO_HOSTS: JSON.stringify(hosts),
    SIROCCO_SUMMARY: summary,
  };
  await run(process.execPath, args, { env, hideNoise: true });
  return existsSync(summary) ? JSON.parse(readFileSync(summary, "utf8")) : undefined;
}

/**
 * Prints what ran. Scripts read the last line.
 * @param {Summary | undefined} summary
 * @param {string[]} errors
 */
function report(summary, errors) {
  const {
    projects,
    skipped,
    errors: more,
  } = summary ?? { projects: {}, skipped: [], errors: ["no test ran to its end"] };
  const problems = [...errors, ...more];
  const ran = Object.entries(projects).filter(([, { passed, failed }]) => passed + failed > 0);
  for (const [name, { passed, failed }] of ran)
    console.log(`${name.padEnd(12)} ${passed} passed, ${failed} failed`);
  const adapters = ran.filter(([name]) => !OTHERS.includes(name)).length;
  const wanted = Number(process.env["SIROCCO_MIN_ADAPTERS"] ?? 0);
  if (adapters < wanted) problems.push(`expected at least ${wanted} adapters, tests ran on ${adapters}`);
  if (ran.length === 0 && problems.length === 0) problems.push("no test was run");
  if (skipped.length > 0) console.log(`${skipped.length} skipped`);
  for (const name of skipped.slice(0, MAX_SKIPPED_NAMES)) console.log(`  ${name}`);
  for (const problem of problems) console.log(`problem: ${problem}`);
  const sum = (/** @type {"passed" | "failed"} */ key) =>
    ran.reduce((total, [, counts]) => total + counts[key], 0);
  const failed = sum("failed") + problems.length;
  console.log(`${sum("passed")} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}
