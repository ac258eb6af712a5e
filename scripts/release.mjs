// `npm run release`: checks all that has to be true before the package is published, and says what would be
// published. `--publish` publishes it.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensurePackage } from "./build.mjs";
import { addressProblems, manifest, otherNames, tarball, unshippedLinks } from "./package-pages.mjs";
import {
  changelogProblems,
  gitProblems,
  nameProblems,
  notYetProblems,
  readRegistry,
  repositoryProblems,
  tarballProblems,
} from "./release-checks.mjs";
import { ensureDependencies, npm, root } from "./setup.mjs";

const HELP = `npm run release [-- OPTIONS]

Checks the tree, the changelog, the repository's address, the tarball with its pages, the name on the registry, then runs
npm run check and npm test. Prints what would be published, and how. Exits with 1 if something has to be mended.

  --publish        publish it if nothing has to be mended. In GitHub Actions with provenance
  --tests-passed   do not run npm test: it has passed for this commit
  --help

The workflow .github/workflows/release.yml runs it for a tag: git tag v1.2.3 && git push origin v1.2.3
`;

/** @typedef {() => readonly string[] | Promise<readonly string[]>} Check problems; none: it succeeded */

const { values } = parseArgs({
  options: {
    publish: { type: "boolean", default: false },
    "tests-passed": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(HELP);
else process.exitCode = await release();

async function release() {
  await ensureDependencies();
  const pkg = manifest();
  const { GITHUB_ACTIONS, GITHUB_REF_TYPE, GITHUB_REF_NAME, GITHUB_SERVER_URL, GITHUB_REPOSITORY } =
    process.env;
  if (!(await ensurePackage())) return 1;
  const packed = tarball();
  const files = packed.files.map(({ path }) => path);
  const registered = readRegistry(view(pkg.name));
  const tag = GITHUB_REF_TYPE === "tag" ? GITHUB_REF_NAME : undefined;
  const git = {
    changed: run("git", "status", "--porcelain"),
    branch: run("git", "branch", "--show-current").trim(),
    tag,
  };
  const checkedOut = GITHUB_ACTIONS && `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`;
  const pages = files.filter((file) => file.endsWith(".md"));

  let failed = 0;
  const check = async (/** @type {string} */ name, /** @type {Check} */ problemsOf) => {
    const problems = await problemsOf();
    if (problems.length > 0) failed++;
    console.log(`${problems.length > 0 ? "failed" : "ok    "}  ${name}`);
    for (const problem of problems) console.log(`        ${problem}`);
  };
  await check("tree and branch", () => gitProblems(git, pkg.version));
  await check("changelog", () => changelogProblems(read("CHANGELOG.md"), pkg.version));
  await check("repository's address", () => [
    ...repositoryProblems(pkg, checkedOut),
    ...addressProblems(pkg),
  ]);
  await check("tarball", () => tarballProblems(packed));
  await check("pages", () => [
    ...unshippedLinks(files),
    ...otherNames(pkg),
    ...notYetProblems(new Map(pages.map((file) => [file, read(file)]))),
  ]);
  if ("unknown" in registered) {
    console.log(
      `unknown name on the registry: it did not answer (${registered.unknown}). Try again with a network.`,
    );
    if (values.publish) failed++;
  } else await check("name on the registry", () => nameProblems(registered, pkg));
  await check("npm run check", () => succeeds("run", "check"));
  if (values["tests-passed"]) console.log("ok      npm test, as you say");
  else if (failed > 0) console.log("not run npm test: mend the above first");
  else await check("npm test", () => succeeds("test"));

  const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  const provenance = GITHUB_ACTIONS
    ? "with provenance"
    : "without provenance, which only a workflow can state";
  console.log(`
${pkg.name}@${pkg.version}, ${"free" in registered ? "the first under this name" : "beside what is published"}: ${packed.filename}, ${files.length} files,
${megabytes(packed.size)}, ${megabytes(packed.unpackedSize)} unpacked; public, ${provenance}.`);
  if (failed > 0) {
    console.log(`Not ready: ${failed} of the above failed.`);
    return 1;
  }
  if (!values.publish) {
    console.log(
      `Ready. Publish it by a tag (git tag v${pkg.version} && git push origin v${pkg.version}), or here with --publish.`,
    );
    return 0;
  }
  return npm(["publish", GITHUB_ACTIONS ? "--provenance" : "--provenance=false"]);
}

/** @param {string} file */
function read(file) {
  return readFileSync(join(root, file), "utf8");
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, ...args) {
  return spawnSync(command, args, { cwd: root, encoding: "utf8" }).stdout;
}

/** @param {string} name */
function view(name) {
  const args = ["view", name, "versions", "repository.url", "--json", "--fetch-retries=0"];
  const { stdout, stderr } = spawnSync("npm", args, {
    ...{ cwd: root, encoding: "utf8", timeout: 60_000 },
    // On Windows npm is a .cmd file, which only a shell starts.
    shell: process.platform === "win32",
  });
  return stdout.trim() || stderr;
}

/** @param {string[]} args */
async function succeeds(...args) {
  return (await npm(args)) === 0 ? [] : [`npm ${args.join(" ")} failed: see above.`];
}
