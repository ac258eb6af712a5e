// Folders and picked files: exact bytes, names that cannot leave the folder, messages for what is no file.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { CheckpointError, fileSource, folderSource, openCheckpoint } from "../../weights/node.ts";
import { filesOf } from "./memory-source.ts";

const folder = mkdtempSync(join(tmpdir(), "sirocco-folder-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, "a.bin"), "0123456789");
mkdirSync(join(folder, "inside"));
writeFileSync(join(folder, "inside", "b.bin"), "secret");
symlinkSync(join("inside", "b.bin"), join(folder, "link.bin"));
const source = folderSource(folder);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test("bytes by position, each read in a new array", async () => {
  expect(await source.size("a.bin")).toBe(10);
  expect(text(await source.read("a.bin", 3, 6))).toBe("345");
  expect(text(await source.read("a.bin"))).toBe("0123456789");
  const bytes = await source.read("a.bin", 9, 10);
  expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, 1]);
  expect(text(await source.read("link.bin"))).toBe("secret"); // The Hub's cache is made of links.
});

test("missing files, other things than files, and files that are too short", async () => {
  expect(await source.size("none")).toBeUndefined();
  await expect(source.read("none")).rejects.toThrow(/none: expected a file, got no such file/);
  await expect(source.size("inside")).rejects.toThrow(/inside: expected a file, got a directory/);
  await expect(source.read("a.bin", 8, 12)).rejects.toThrow(/a\.bin: expected at least 12 bytes, got 10/);
  await expect(source.read("a.bin", 6, 3)).rejects.toThrow(RangeError);
  expect(await folderSource(join(folder, "a.bin")).size("x")).toBeUndefined();
});

test.each(["../x", "inside/b.bin", "..", ".", "", "/etc/passwd", "a\\b", "a\0b", "C:x"])(
  "%j is no file name",
  async (name) => {
    await expect(source.size(name)).rejects.toThrow(CheckpointError);
    await expect(source.read(name)).rejects.toThrow(/plain file name/);
  },
);

test("an abort ends a read", async () => {
  await expect(source.read("a.bin", 0, 1, AbortSignal.abort())).rejects.toThrow(/abort/i);
});

test("picked files make a checkpoint", async () => {
  const files = Object.entries(filesOf("test/golden/families/two_shards"));
  const picked = files.map(([name, bytes]) => new File([new Uint8Array(bytes)], name));
  const checkpoint = await openCheckpoint(fileSource(picked));
  const norm = checkpoint.tensors.get("model.norm.weight");
  if (!norm) throw new Error("no norm");
  const bytes = await checkpoint.source.read(norm.file, norm.start, norm.end);
  const stored = readFileSync(`test/golden/families/two_shards/${norm.file}`).subarray(norm.start, norm.end);
  expect(Buffer.compare(bytes, stored)).toBe(0);
  await expect(openCheckpoint(fileSource(picked.slice(1)))).rejects.toThrow(CheckpointError);
  expect(() => fileSource([...picked, ...picked])).toThrow(/one file of this name, got two/);
  await expect(fileSource(picked).read("config.json", 0, 1e6)).rejects.toThrow(
    /config\.json: expected at least 1000000/,
  );
});

test("the outermost checkpoint of a picked folder is read, by slices", async () => {
  const slices: [number, number][] = [];
  const at = (path: string, text: string): File => {
    const file = new File([text], path.split("/").at(-1) ?? "");
    const slice = file.slice.bind(file);
    return Object.assign(file, {
      webkitRelativePath: path,
      arrayBuffer: () => Promise.reject(new Error(`${path}: read whole`)),
      slice: (start = 0, end = 0) => {
        slices.push([start, end]);
        return slice(start, end);
      },
    });
  };
  const files = [
    at("mistral/original/config.json", "inner"),
    at("mistral/original/tokenizer.json", "inner"),
    at("mistral/config.json", "outer"),
  ];
  const source = fileSource(files);
  expect(new TextDecoder().decode(await source.read("config.json", 1, 3))).toBe("ut");
  expect(slices).toEqual([[1, 3]]);
  expect(await source.size("tokenizer.json")).toBeUndefined();
  const two = [at("models/a/config.json", "a"), at("models/b/config.json", "b")];
  expect(() => fileSource(two)).toThrow(/expected one checkpoint, got "models\/a\/config\.json" and/);
});

test("nothing that a browser imports reaches node:*", () => {
  const seen = new Set<string>();
  const walk = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const code = readFileSync(join("weights", file), "utf8");
    expect(code, file).not.toMatch(/from "node:|import\("node:|@huggingface\/hub"/);
    for (const [, next] of code.matchAll(/(?:from|import) "\.\/([\w.-]+)"/g)) walk(next as string);
  };
  walk("index.ts");
  expect(seen.size).toBeGreaterThan(10);
});
