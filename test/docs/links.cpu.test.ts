// Every link and every path that a page names exists.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { files, pages, root } from "./snippets.ts";

/** Made by `npm run docs` and `npm run build`. */
const GENERATED = ["docs/api", "dist", "dist-demo"];

const tree = [
  "bench",
  "cli",
  "demo",
  "deploy",
  "docs",
  "engine",
  "examples",
  "kernels",
  "scripts",
  "server",
  "test",
  "tokenizer",
  "weights",
].flatMap((folder) => files(folder, /./));
const fileNames = new Set(tree.map((path) => basename(path)));

/** Headings as links name them: lower case, hyphens for blanks, no punctuation. */
const anchors = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replace(/\s/g, "-"),
  );

const withoutBlocks = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```$/gm, "");
const isGenerated = (path: string): boolean =>
  GENERATED.some((folder) => path === folder || path.startsWith(`${folder}/`));

function brokenLinks(page: string): string[] {
  const markdown = withoutBlocks(readFileSync(join(root, page), "utf8"));
  const targets = [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => {
    if (/^[a-z]+:/i.test(target)) return false;
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? page : normalize(join(dirname(page), path));
    if (isGenerated(file)) return false;
    if (!existsSync(join(root, file))) return true;
    return anchor !== undefined && !anchors(readFileSync(join(root, file), "utf8")).includes(anchor);
  });
}

/** Paths in backticks that begin with a folder of ours, and names of source files. */
function missingPaths(page: string): string[] {
  const markdown = withoutBlocks(readFileSync(join(root, page), "utf8"));
  const named = [...markdown.matchAll(/`([^`\s]+)`/g)].map(([, name = ""]) => name);
  return named.filter((name) => {
    // A pattern, a placeholder, or a path of another root.
    if (/[*{}<>$…=(]|^\/|(^|\/)name\./.test(name) || isGenerated(name)) return false;
    if (/^[\w-]+\.(ts|mjs|wgsl)$/.test(name)) return !fileNames.has(name);
    const [folder = ""] = name.split("/");
    const isOurs =
      name.includes("/") && existsSync(join(root, folder)) && statSync(join(root, folder)).isDirectory();
    if (!isOurs) return false;
    const path = name.replace(/\/$/, "");
    return (
      ![path, `${path}.ts`].some((each) => existsSync(join(root, each))) &&
      !existsSync(join(root, dirname(page), path))
    );
  });
}

test("every folder in ARCHITECTURE.md's tree exists, and none is left out", () => {
  const block =
    /^## The tree\n+```\n([\s\S]*?)```/m.exec(readFileSync(join(root, "ARCHITECTURE.md"), "utf8"))?.[1] ?? "";
  let parent = "";
  const named = block.split("\n").flatMap((line) => {
    const folders = [...(/^ *(?:[\w-]+\/ ?)+/.exec(line)?.[0] ?? "").matchAll(/[\w-]+(?=\/)/g)].map(
      ([name]) => name,
    );
    if (!line.startsWith(" ")) parent = folders[0] ?? parent;
    return line.startsWith(" ") ? folders.map((name) => `${parent}/${name}`) : folders;
  });
  expect(named.filter((folder) => !existsSync(join(root, folder)))).toEqual([]);
  const inside = ["engine", "kernels", "tokenizer", "weights", "server", "cli"].flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((each) => each.isDirectory())
      .map(({ name }) => `${folder}/${name}`),
  );
  expect(inside.filter((folder) => !named.includes(folder))).toEqual([]);
});

test.each(pages())("%s: its links lead somewhere, and the files it names exist", (page) => {
  expect({ links: brokenLinks(page), paths: missingPaths(page) }).toEqual({ links: [], paths: [] });
});
