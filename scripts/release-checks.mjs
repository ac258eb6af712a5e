// What has to be true before the package is published: facts in, problems out.
import { addressOf, NOT_YET } from "./package-pages.mjs";

/** @typedef {import("./package-pages.mjs").Manifest} Manifest */
/** @typedef {import("./package-pages.mjs").Tarball} Tarball */

/** Bytes. The embedded model is 10 MB of them. */
const MAX_PACKED = 14_000_000;
const MAX_UNPACKED = 26_000_000;

const NEEDED = [
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
  "dist/engine/index.js",
  "dist/engine/index.d.ts",
  "dist/engine/node.js",
  "dist/engine/model-worker.js",
  "dist/browser/sirocco.js",
  "dist/cli/main.js",
  "dist/weights/tiny-mistral/config.json",
  "dist/page/third-party-licenses.md",
];
const FOREIGN = /(^|\/)(node_modules|test|\.git|\.env)(\/|$)|\.(pem|key|tgz)$/;

/**
 * What git says, and GitHub Actions.
 * @param {{ changed: string, branch: string, tag?: string | undefined }} git
 *   `changed`: lines of `git status --porcelain`; `tag`: the tag that started the workflow
 * @param {string} version
 * @returns {string[]} a problem each
 */
export function gitProblems({ changed, branch, tag }, version) {
  const files = changed.split("\n").filter(Boolean);
  const where =
    tag === undefined
      ? branch !== "main" && `git: expected the branch main, got ${branch}.`
      : tag !== `v${version}` &&
        `git: expected the tag v${version}, as in package.json, got ${tag}. Change one of them.`;
  return [
    ...(files.length > 0
      ? [
          `git: expected a clean tree, got ${files.length} changed files, the first ${files[0]?.trim()}. Commit them.`,
        ]
      : []),
    ...(where ? [where] : []),
  ];
}

/**
 * @param {string} changelog
 * @param {string} version
 */
export function changelogProblems(changelog, version) {
  const heading = new RegExp(
    String.raw`^## \[${version.replaceAll(".", "\\.")}\] - \d{4}-\d{2}-\d{2}$\n+\S`,
    "m",
  );
  return heading.test(changelog)
    ? []
    : [
        `CHANGELOG.md: expected "## [${version}] - YYYY-MM-DD" and what changed, got neither. Put it under [Unreleased].`,
      ];
}

/**
 * Pages that say the package is not on the registry.
 * @param {ReadonlyMap<string, string>} pages text by file
 */
export const notYetProblems = (pages) =>
  [...pages].flatMap(([file, text]) =>
    text.includes(NOT_YET)
      ? `${file}: expected no "${NOT_YET}" in what is published. Say how it is installed from the registry.`
      : [],
  );

/**
 * @param {Manifest} pkg
 * @param {string | undefined} checkedOut the address of the repository that GitHub Actions checked out
 */
export function repositoryProblems({ repository: { url } }, checkedOut) {
  const address = addressOf(url);
  if (new URL(address).hostname.endsWith(".example"))
    return [
      `package.json: repository.url: expected the repository's address, got the placeholder ${url}. Run: npm pkg set repository.url=git+ADDRESS.git homepage=ADDRESS#readme bugs=ADDRESS/issues`,
    ];
  if (checkedOut !== undefined && checkedOut.toLowerCase() !== address.toLowerCase())
    return [
      `package.json: repository.url: expected ${checkedOut}, where this workflow runs, got ${address}. npm refuses its provenance.`,
    ];
  return [];
}

/** @param {Tarball} tarball */
export function tarballProblems({ size, unpackedSize, files }) {
  const paths = files.map(({ path }) => path);
  const missing = NEEDED.filter((path) => !paths.includes(path));
  const foreign = paths.filter((path) => FOREIGN.test(path));
  return [
    ...missing.map((path) => `tarball: expected ${path}, got none. See files in package.json.`),
    ...foreign.map((path) => `tarball: expected nothing like ${path}. See files in package.json.`),
    ...(size > MAX_PACKED || unpackedSize > MAX_UNPACKED
      ? [
          `tarball: expected at most ${MAX_PACKED} bytes, ${MAX_UNPACKED} unpacked, got ${size}, ${unpackedSize}. Find what grew, or raise scripts/release-checks.mjs.`,
        ]
      : []),
  ];
}

/**
 * What the registry says of the name. `unknown`: it did not answer, and why.
 * @typedef {{ unknown: string } | { free: true } | { versions: string[], repository: string }} Registered
 * @param {string} output of `npm view NAME versions repository.url --json`
 * @returns {Registered}
 */
export function readRegistry(output) {
  /** @type {any} */
  let answer;
  try {
    answer = JSON.parse(output);
  } catch {
    return { unknown: output.trim().split("\n")[0] || "no answer" };
  }
  const code = answer?.error?.code;
  if (code === "E404") return { free: true };
  if (code !== undefined) return { unknown: `${code} ${answer.error.summary ?? ""}`.trim() };
  const found = Array.isArray(answer) ? answer.at(-1) : answer;
  return { versions: [found?.versions ?? []].flat(), repository: found?.["repository.url"] ?? "" };
}

/**
 * The name is free, or ours: published from the same repository, in other versions.
 * @param {Registered} registered
 * @param {Manifest} pkg
 */
export function nameProblems(registered, { name, version, repository }) {
  if ("unknown" in registered || "free" in registered) return [];
  if (addressOf(registered.repository) !== addressOf(repository.url))
    return [
      `registry: expected ${name} to be free or published from ${addressOf(repository.url)}, got one from ${addressOf(registered.repository) || "nowhere"}. Choose another name in package.json; npm run check lists the pages that name it.`,
    ];
  if (registered.versions.includes(version))
    return [`registry: expected no ${name}@${version}, got it. Raise the version in package.json.`];
  return [];
}
