// `npm run prove`: puts each known bug back, in a copy of the tree, and expects the named test to fail. A
// test that passes with its bug is a defect. Takes too long for CI. `npm run prove -- NAME` runs those whose
// names contain NAME, `--list` lists all.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bugs, staleBugs } from "./bugs.mjs";
import { root } from "./setup.mjs";

const stale = staleBugs();
if (stale.length > 0) throw new Error(stale.join("\n"));
const wanted = process.argv.slice(2).join(" ");
if (wanted === "--list") {
  for (const [name, { test }] of Object.entries(bugs)) console.log(`${name}: ${test.join(" ")}`);
  process.exit();
}
const copy = mkdtempSync(join(tmpdir(), "sirocco-prove-"));
let survived = 0;
try {
  const skip = new Set(["node_modules", "dist", ".git"].map((name) => join(root, name)));
  cpSync(root, copy, { recursive: true, filter: (path) => !skip.has(path) });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  for (const [name, { file, from, to, test }] of Object.entries(bugs)) {
    if (!name.includes(wanted)) continue;
    const path = join(copy, file);
    const text = readFileSync(path, "utf8");
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
    const failed = testsFail(test);
    writeFileSync(path, text);
    console.log(`${failed ? "caught  " : "SURVIVED"}  ${name}: ${test.join(" ")}`);
    if (!failed) survived++;
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exitCode = survived > 0 ? 1 : 0;

/** Runs without a device, or on one driver and the CPU device: a wrong result is wrong on any driver. */
function testsFail(/** @type {string[]} */ test) {
  const projects = projectsOf(test[0] ?? "");
  const chosen = projects.flatMap((name) => ["--project", name]);
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const { status, stdout } = spawnSync(process.execPath, [vitest, "run", ...chosen, ...test], {
    cwd: copy,
    encoding: "utf8",
  });
  if (!/\d+ (passed|failed)/.test(stdout)) throw new Error(`no test ran: ${test.join(" ")}\n${stdout}`);
  return status !== 0;
}

/** @param {string} file of tests */
function projectsOf(file) {
  if (file.includes(".browser.")) return ["chromium"];
  if (/\.cpu\.|^test\/(weights|tokenizer|demo)\//.test(file)) return ["cpu"];
  return ["lavapipe", "wasm"];
}
