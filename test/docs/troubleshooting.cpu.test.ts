// The messages that docs/troubleshooting.md explains are those of the code.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { files, root } from "./snippets.ts";

test("every message that the page quotes is in the code", () => {
  const folders = ["engine", "weights", "tokenizer", "cli", "demo", "server", "scripts"];
  const code = folders
    .flatMap((folder) => files(folder, /\.(ts|mjs)$/))
    .map((file) => readFileSync(join(root, file), "utf8"))
    .join("\n")
    .replaceAll("\\`", "`");
  const page = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");
  const quoted = [...page.matchAll(/^```text\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) =>
    block.trim().split("\n"),
  );
  expect(quoted.length).toBeGreaterThan(12);
  // "…" stands for what differs. Some messages are put together: expected, got, advice.
  const parts = quoted.flatMap((message) => message.split(/…|(?<=\.) |\bexpected |, got /));
  const telling = parts
    .map((part) => part.replace(/^[^\w`]+|[^\w`]+$/g, ""))
    .filter((part) => /[a-z]{3}/i.test(part));
  expect(telling.length).toBeGreaterThan(20);
  expect(telling.filter((part) => !code.includes(part))).toEqual([]);
});
