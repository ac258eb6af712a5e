// The examples of the docstrings run on the embedded model, and print what they say.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { docstringExamples, ENTRIES, root } from "./snippets.ts";

/** The calls that people begin with: each has an example. */
const FIRST_CALLS = [
  "loadModel",
  "planModel",
  "loadModelInWorker",
  "generate",
  "chat",
  "answer",
  "encode",
  "score",
  "logits",
  "saveSession",
  "openai",
  "sirocco",
  "Ai",
  "createLanguageModel",
  "fileSource",
  "httpSource",
  "listStoredModels",
];

/** Only type-checked: what they need is not here. */
const NOT_RUN: Readonly<Record<string, string>> = {
  loadModelInWorker: "a browser",
  httpSource: "a server",
  hubSource: "the Hub",
};

const examples = docstringExamples();
const nameOf = (name: string): string => name.replace(/^.*: /, "");
let folder: string;
let model: Model;

beforeAll(async () => {
  mkdirSync(join(root, ".cache"), { recursive: true });
  folder = mkdtempSync(join(root, ".cache", "examples-"));
  model = await loadModel();
  Object.assign(globalThis, { model });
});
afterAll(() => {
  model?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

test("each of the first calls has an example", () => {
  expect(examples.map(({ name }) => nameOf(name))).toEqual(expect.arrayContaining(FIRST_CALLS));
});

test.each(examples.filter(({ name }) => !(nameOf(name) in NOT_RUN)))("$name", async ({ name, code }) => {
  const file = join(folder, `${name.replace(/\W+/g, "-")}.ts`);
  const local = code.replace(/ from "(sirocco[\w/-]*)"/g, (_, entry: string) => {
    return ` from ${JSON.stringify(join(root, ENTRIES[entry] ?? entry))}`;
  });
  // Without an import or export it would be a script, with no `await` at its top.
  writeFileSync(file, `${local}\nexport {};\n`);
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    await import(/* @vite-ignore */ pathToFileURL(file).href);
    const stated = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text);
    if (stated.length > 0) expect(log.mock.calls.map((args) => format(...args))).toEqual(stated);
  } finally {
    log.mockRestore();
  }
});
