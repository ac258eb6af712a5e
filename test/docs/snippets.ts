// The TypeScript examples of docstrings and pages, as programs.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Entry points by the name that programs import. */
export const ENTRIES: Readonly<Record<string, string>> = {
  sirocco: "engine/node.ts",
  "sirocco/ai-sdk": "engine/ai-sdk.ts",
  "sirocco/workers-ai": "engine/workers-ai.ts",
  "sirocco/prompt-api": "engine/prompt-api.ts",
  "sirocco/worker": "engine/model-worker.ts",
};

export interface Snippet {
  /** Where it is: "engine/types/model.ts: generate", "docs/apis.md: 9". */
  readonly name: string;
  readonly code: string;
}

/** The programs after `@example`, named by what their docstring documents. */
export function docstringExamples(): Snippet[] {
  const folders = ["engine", "tokenizer", "weights"];
  return folders
    .flatMap((folder) => files(folder, /\.ts$/))
    .flatMap((file) => {
      const text = readFileSync(join(root, file), "utf8");
      return [...text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*?@example[\s\S]*?)\*\/\s*(.*)/g)].flatMap(
        ([, comment = "", declaration = ""]) =>
          codeBlocks(comment.replace(/^ *\* ?/gm, "")).map(({ code }) => ({
            name: `${file}: ${declaredName(declaration)}`,
            code,
          })),
      );
    });
}

const declaredName = (line: string): string =>
  /^(?:export )?(?:declare )?(?:async )?(?:readonly |const |function |class |interface |type )?([\w$]+)/.exec(
    line,
  )?.[1] ?? line;

/** The blocks marked `ts` of the pages that users read. */
export function pageSnippets(): Snippet[] {
  return pages().flatMap((page) =>
    codeBlocks(readFileSync(join(root, page), "utf8")).map(({ line, code }) => ({
      name: `${page}: ${line}`,
      code,
    })),
  );
}

/** Every page in Markdown, but for the notes of fixtures and of the embedded model. */
export const pages = (): string[] => [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...["docs", "server", "bench", "deploy", "examples"].flatMap((folder) => files(folder, /\.md$/)),
];

/** @returns paths from the root, with slashes */
export function files(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !["node_modules", "api", "dist"].includes(name))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? files(path, pattern) : pattern.test(path) ? [path] : [];
    })
    .sort();
}

function codeBlocks(markdown: string): { line: number; code: string }[] {
  return [...markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(({ 1: code = "", index }) => ({
    line: markdown.slice(0, index).split("\n").length,
    code,
  }));
}
