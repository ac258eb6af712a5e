// `npm run check`: everything that needs no tests. One line a step, and the problems of a step that fails.
// Steps of sources and steps of the package run side by side.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { checkBrowserBundle } from "./browser-bundle.mjs";
import { staleBugs } from "./bugs.mjs";
import { ensureBuild } from "./build.mjs";
import { packageFile } from "./build-steps.mjs";
import { checkImports } from "./dag.mjs";
import { checkLines } from "./lines.mjs";
import { addressProblems, otherNames, tarball, unsaidNotYet, unshippedLinks } from "./package-pages.mjs";
import { ensureDependencies, root } from "./setup.mjs";

/**
 * Runs a program of a package.
 * @param {string} name
 * @param {string} file
 * @param {string[]} args
 * @returns {Promise<string>} what it prints if it fails; empty: it succeeded
 */
async function tool(name, file, ...args) {
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined };
  try {
    const options = { cwd: root, maxBuffer: 2 ** 26, env };
    await promisify(execFile)(process.execPath, [packageFile(name, file), ...args], options);
    return "";
  } catch (error) {
    const { message, stdout, stderr } = /** @type {Error & { stdout: string, stderr: string }} */ (error);
    return [stdout, stderr].filter(Boolean).join("\n") || message;
  }
}

async function packageProblems() {
  if (!(await ensureBuild({ types: true }))) return "the build failed";
  const [{ publint }, { formatMessage }] = await Promise.all([import("publint"), import("publint/utils")]);
  const { messages, pkg } = await publint({ pkgDir: root, strict: true });
  return messages.map((message) => formatMessage(message, pkg)).join("\n");
}

/** What pages say of the package. After the build, which is a part of it. */
const packagePages = () => [
  ...unshippedLinks(tarball().files.map(({ path }) => path)),
  ...otherNames(),
  ...unsaidNotYet(),
  ...addressProblems(),
];

/** Types and imports as each of TypeScript's resolution modes finds them in the tarball. */
function typeResolution() {
  const options = ["--pack", ".", "--profile", "esm-only", "--no-emoji", "--no-color"];
  return tool("@arethetypeswrong/cli", "dist/index.js", ...options);
}

/** @typedef {[name: string, step: () => string | readonly string[] | Promise<string>][]} Steps */

/** @type {Steps} */
const ofSources = [
  ["types", () => tool("typescript", "bin/tsc", "--noEmit")],
  ["lint and format (npm run fix)", () => tool("@biomejs/biome", "bin/biome", "ci", "--colors=off", ".")],
  ["lengths of lines and files", checkLines],
  ["import rules", checkImports],
  ["no error message is read", async () => (await import("./prose.mjs")).checkProse().join("\n")],
  ["known bugs (npm run prove)", staleBugs],
  ["unused code and dependencies", () => tool("knip", "bin/knip.js", "--no-progress")],
];

/** The first step builds. @type {Steps} */
const ofPackage = [
  ["package", packageProblems],
  ["type resolution", typeResolution],
  ["package's pages", packagePages],
  ["browser bundle", checkBrowserBundle],
];

// Not when it is imported: an import of this file by one that it imports is a problem to print.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensureDependencies();
  let failed = 0;
  const inTurn = async (/** @type {Steps} */ steps) => {
    for (const [name, step] of steps) {
      const result = await step();
      const problems = typeof result === "string" ? result : result.join("\n");
      if (problems) failed++;
      console.log(`${problems ? "failed" : "ok    "}  ${name}`);
      if (problems) console.log(problems.replace(/^/gm, "        "));
    }
  };
  await Promise.all([inTurn(ofSources), inTurn(ofPackage)]);
  process.exitCode = failed > 0 ? 1 : 0;
}
