// `npm run check`: everything short of running the code. One line a step; the details only where a step fails.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureBuild } from "./build.mjs";
import { checkImports } from "./dag.mjs";
import { ensureDependencies, root } from "./setup.mjs";

/** @returns {string} what is wrong; empty: nothing */
const tool = (/** @type {string} */ file, /** @type {string[]} */ ...args) => {
  const path = join(root, "node_modules", ...file.split("/"));
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [path, ...args], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
  });
  return status === 0 ? "" : [error?.message, stdout, stderr].filter(Boolean).join("\n");
};

async function packageProblems() {
  if (!(await ensureBuild({ types: true }))) return "the build failed";
  const [{ publint }, { formatMessage }] = await Promise.all([import("publint"), import("publint/utils")]);
  const { messages, pkg } = await publint({ pkgDir: root, strict: true });
  return messages.map((message) => formatMessage(message, pkg)).join("\n");
}

/** @type {[name: string, step: () => string | Promise<string>][]} */
const steps = [
  ["types", () => tool("typescript/bin/tsc", "--noEmit")],
  ["lint and format (npm run fix)", () => tool("@biomejs/biome/bin/biome", "ci", "--colors=off", ".")],
  ["import rules", () => checkImports().join("\n")],
  ["dead code and dependencies", () => tool("knip/bin/knip.js", "--no-progress")],
  ["package", packageProblems],
];

await ensureDependencies();
let failed = 0;
for (const [name, step] of steps) {
  const problems = await step();
  if (problems) failed++;
  console.log(`${problems ? "failed" : "ok    "}  ${name}`);
  if (problems) console.log(problems.replace(/^/gm, "        "));
}
process.exitCode = failed > 0 ? 1 : 0;
