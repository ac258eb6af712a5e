// The examples of docstrings and pages type-check against the public entry points.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { docstringExamples, ENTRIES, pageSnippets, root } from "./snippets.ts";

/** What a fragment may use without saying where it comes from. */
const GLOBALS = `
import type { Model } from "sirocco";
declare global {
  const model: Model;
  const signal: AbortSignal;
}`;

test("every example in docstrings and pages type-checks", () => {
  const snippets = [...docstringExamples(), ...pageSnippets()];
  expect(snippets.length).toBeGreaterThan(15);
  mkdirSync(join(root, ".cache"), { recursive: true });
  // In the tree, so that packages are found.
  const folder = mkdtempSync(join(root, ".cache", "examples-"));
  try {
    const up = relative(folder, root);
    for (const { name, code } of snippets) writeFileSync(join(folder, `${fileName(name)}.ts`), code);
    writeFileSync(join(folder, "globals.d.ts"), GLOBALS);
    const paths = Object.fromEntries(
      Object.entries(ENTRIES).map(([entry, file]) => [entry, [`${up}/${file}`]]),
    );
    const compilerOptions = {
      paths,
      // Each is a module, with `await` at its top; a fragment need not use what it declares.
      ...{ moduleDetection: "force", noUnusedLocals: false },
    };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: `${up}/tsconfig.json`,
        compilerOptions,
        include: ["*.ts", `${up}/kernels/cpu/wat.d.ts`],
        exclude: [],
      }),
    );
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], {
      encoding: "utf8",
    });
    expect(stdout).toBe("");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const fileName = (name: string): string => name.replace(/\W+/g, "-");
