// What `npm run release` refuses, and the workflows that run it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { addressProblems, manifest, otherNames, unshippedLinks } from "../../scripts/package-pages.mjs";
import {
  changelogProblems,
  gitProblems,
  nameProblems,
  notYetProblems,
  readRegistry,
  repositoryProblems,
  tarballProblems,
} from "../../scripts/release-checks.mjs";
import { root } from "./install.ts";

const pkg = {
  ...manifest(),
  name: "wind",
  version: "1.2.3",
  repository: { url: "git+https://host.test/a/wind.git" },
};

test("git: a clean tree, on main or at the version's tag", () => {
  expect(gitProblems({ changed: "", branch: "main" }, "1.2.3")).toEqual([]);
  expect(gitProblems({ changed: "", branch: "", tag: "v1.2.3" }, "1.2.3")).toEqual([]);
  expect(gitProblems({ changed: " M README.md\n", branch: "main" }, "1.2.3")).toHaveLength(1);
  expect(gitProblems({ changed: "", branch: "other" }, "1.2.3")).toHaveLength(1);
  expect(gitProblems({ changed: "", branch: "", tag: "v1.2.4" }, "1.2.3")).toHaveLength(1);
});

test("the changelog has the version, its date, and something to say", () => {
  expect(changelogProblems("## [1.2.3] - 2026-01-02\n\n- A change.\n", "1.2.3")).toEqual([]);
  for (const text of ["## [Unreleased]\n\n- A change.\n", "## [1.2.3]\n\n- A\n", "## [1.2.3] - 2026-01-02\n"])
    expect(changelogProblems(text, "1.2.3")).toHaveLength(1);
});

test("the repository's address is no placeholder, and the one that the workflow runs in", () => {
  expect(repositoryProblems(pkg, undefined)).toEqual([]);
  expect(repositoryProblems(pkg, "https://host.test/A/Wind")).toEqual([]);
  expect(repositoryProblems(pkg, "https://host.test/b/wind")).toHaveLength(1);
  const placeholder = { ...pkg, repository: { url: "git+https://repository.example/wind.git" } };
  expect(repositoryProblems(placeholder, undefined)).toHaveLength(1);
  expect(addressProblems({ ...pkg, homepage: "https://host.test/a/wind#readme", bugs: "elsewhere" })).toEqual(
    [expect.stringContaining("bugs: expected https://host.test/a/wind/issues")],
  );
});

test("the name on the registry: free, ours, somebody's, or not known", () => {
  const problems = (output: string) => nameProblems(readRegistry(output), pkg);
  const published = (versions: string | string[], url: string) =>
    JSON.stringify({ versions, "repository.url": url });
  expect(readRegistry('{"error":{"code":"E404","summary":"Not found"}}')).toEqual({ free: true });
  expect(readRegistry('{"error":{"code":"ENOTFOUND","summary":"no host"}}')).toEqual({
    unknown: "ENOTFOUND no host",
  });
  expect(readRegistry("")).toHaveProperty("unknown");
  expect(problems(published(["1.2.2"], pkg.repository.url))).toEqual([]);
  expect(problems(published("1.2.3", pkg.repository.url))).toHaveLength(1);
  expect(problems(published("0.0.1", "git+https://host.test/z/other.git"))).toHaveLength(1);
  expect(problems('{"versions":"0.0.1"}')).toHaveLength(1);
});

test("a tarball without its parts, or with other people's, is refused; so are pages that deny its publication", () => {
  const paths = ["README.md", "dist/node_modules/a/index.js"].map((path) => ({ path }));
  const problems = tarballProblems({ filename: "wind.tgz", size: 2e7, unpackedSize: 3e7, files: paths });
  expect(problems).toEqual(
    expect.arrayContaining([
      expect.stringContaining("expected dist/cli/main.js"),
      expect.stringContaining("nothing like dist/node_modules"),
      expect.stringContaining("at most"),
    ]),
  );
  expect(notYetProblems(new Map([["README.md", "It is not on npm yet."]]))).toHaveLength(1);
  const links = (text: string) => unshippedLinks(["README.md", "docs/a.md"], () => text);
  expect(links("[a](docs/a.md#part) [b](https://host.test/) [c](docs)")).not.toContainEqual(
    expect.stringContaining("README.md"),
  );
  expect(links("[a](docs/b.md)")).toHaveLength(2);
});

test("every line to copy names the package as package.json does: under another name all are found", () => {
  expect(otherNames()).toEqual([]);
  const found = otherNames({ ...manifest(), name: "@somebody/wind" });
  const files = [
    "README.md",
    "examples/node/package.json",
    "examples/plain-html/index.html",
    "server/README.md",
    "scripts/start.mjs",
  ];
  for (const file of files)
    expect(
      found.some((problem) => problem.startsWith(file)),
      file,
    ).toBe(true);
});

test("workflows run scripts that exist; the release states its provenance, and runs after the tests", () => {
  const read = (name: string) => parse(readFileSync(join(root, ".github/workflows", name), "utf8"));
  const { jobs } = read("release.yml");
  expect(jobs.publish.permissions["id-token"]).toBe("write");
  expect(jobs.publish.needs).toBe("test");
  expect(jobs.test.uses).toBe("./.github/workflows/ci.yml");
  const steps = [...jobs.publish.steps, ...read("ci.yml").jobs.test.steps] as {
    run?: string;
    uses?: string;
  }[];
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const named = steps.flatMap(({ run = "" }) => [...run.matchAll(/npm (?:run )?(check|release|test)\b/g)]);
  expect(named.map(([, name = ""]) => name).sort()).toEqual(["check", "release", "test"]);
  for (const [, name = ""] of named) expect(scripts).toHaveProperty(name);
  for (const { uses } of steps) if (uses) expect(uses).toMatch(/@v\d+$/);
});
