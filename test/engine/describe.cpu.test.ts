// What describeModel says of a folder, a file, an address and a repository, and that it reads no weights.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { describeModel } from "../../engine/node.ts";
import { folderSource, type Source } from "../../weights/node.ts";
import { smallGguf, u32, writeGguf } from "../weights/gguf-file.ts";
import { sendFile, serve } from "../weights/loopback.ts";
import { memorySource } from "../weights/memory-source.ts";
import { mockHub, REPOSITORY } from "../weights/mock-hub.ts";

const golden = new URL("../golden/", import.meta.url).pathname;
const embedded = new URL("../../weights/tiny-mistral/", import.meta.url).pathname;
const home = mkdtempSync(join(tmpdir(), "sirocco-describe-"));
afterAll(() => rmSync(home, { recursive: true }));

/** Weights that no header read reaches: 4 MiB. */
function gguf(fileType: number): Uint8Array {
  const file = smallGguf();
  file.pairs.push(["general.file_type", u32(fileType)]);
  file.tensors.push({ name: "extra", dims: [2 ** 20], type: 0, bytes: new Uint8Array(2 ** 22) });
  return writeGguf(file);
}

/** Counts the bytes that are read of each file. */
function counted(source: Source): { source: Source; bytes: Map<string, number> } {
  const bytes = new Map<string, number>();
  const read: Source["read"] = async (file, ...range) => {
    const data = await source.read(file, ...range);
    bytes.set(file, (bytes.get(file) ?? 0) + data.length);
    return data;
  };
  return { source: { ...source, read }, bytes };
}

afterEach(() => vi.unstubAllEnvs());

test("the embedded model", async () => {
  const { format, config, tokenizer, chatTemplate, files, fileBytes, residentBytes, stored, otherFiles } =
    await describeModel();
  expect({ format, stored, chatTemplate, otherFiles }).toEqual({
    ...{
      format: "safetensors, bf16",
      stored: "bf16",
      chatTemplate: { file: "tokenizer_config.json" },
      otherFiles: [],
    },
  });
  expect(tokenizer).toEqual({ kind: "BPE with byte fallback", tokens: config.V, file: "tokenizer.json" });
  expect(files.slice(0, 3).map(({ file }) => file)).toEqual([
    ...["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "config.json"],
  ]);
  expect(fileBytes).toBe(files.reduce((sum, { bytes }) => sum + bytes, 0));
  expect(residentBytes.f32! / residentBytes.bf16!).toBeCloseTo(2, 1);
  expect(residentBytes.q4!).toBeLessThan(residentBytes.q8!);
});

test.each([
  ["quantised/gptq_4bit_desc_act_g32", "safetensors, GPTQ with 4 bits, groups of 32, act-order", "q4"],
  ["quantised/gptq_4bit_channel", "safetensors, GPTQ with 4 bits, whole rows", "q4"],
  ["quantised/awq_gemm_g128", "safetensors, AWQ with 4 bits, whole rows", "q4a128"],
  ["quantised/mlx_4bit_g64", "safetensors, MLX with 4 bits, groups of 64", "q4a64"],
  ["quantised/ct_fp8_channel", "safetensors, compressed-tensors with fp8", "q8"],
  ["formats/gguf_q8_0_split", "GGUF v3, Q8_0", "q8"],
  ["formats/gguf_f16", "GGUF v3, f16", "f16"],
])("%s is %s", async (folder, format, stored) => {
  expect(await describeModel(folderSource(golden + folder))).toMatchObject({ format, stored });
});

test("of a file that only its codes fit, there is one size", async () => {
  const { residentBytes } = await describeModel(`${golden}quantised/gptq_4bit_sym_g32`);
  expect(Object.keys(residentBytes)).toEqual(["q4"]);
});

test("only headers are read, of a file among others", async () => {
  const files = { "m.Q8_0.gguf": gguf(7), "m.Q4_K_M.gguf": gguf(15) };
  const { source, bytes } = counted(memorySource(files));
  const { format, otherFiles, tokenizer } = await describeModel(source);
  expect({ format, otherFiles, tokenizer }).toEqual({
    format: expect.stringMatching(/^GGUF v3, /),
    otherFiles: [{ file: "m.Q8_0.gguf", bytes: files["m.Q8_0.gguf"].length }],
    tokenizer: { kind: "BPE", tokens: 40, file: "m.Q4_K_M.gguf" },
  });
  expect([...bytes.keys()]).toEqual(["m.Q4_K_M.gguf"]);
  expect(bytes.get("m.Q4_K_M.gguf")).toBeLessThan(2 ** 19);

  const folder = counted(folderSource(embedded));
  const weights = (await describeModel(folder.source)).files.filter(({ file }) => /safetensors$/.test(file));
  for (const { file, bytes } of weights) expect(folder.bytes.get(file)).toBeLessThan(bytes / 4);
});

test("by address, and in a repository of the Hub", async () => {
  const file = gguf(15);
  const site = await serve((request, response) => sendFile(request, response, file));
  const { format, files } = await describeModel(`${site.url}/m.gguf`);
  expect(files).toEqual([{ file: "m.gguf", bytes: file.length }]);
  await site.close();

  const hub = await mockHub({ "m.Q8_0.gguf": gguf(7), "m.Q4_K_M.gguf": file });
  vi.stubEnv("HF_ENDPOINT", hub.url);
  vi.stubEnv("HF_HOME", home);
  for (const name of [REPOSITORY, `${REPOSITORY}@main`, `${REPOSITORY}/m.Q4_K_M.gguf`]) {
    expect(await describeModel(name)).toMatchObject({ format, files: [{ file: "m.Q4_K_M.gguf" }] });
  }
  expect((await describeModel(REPOSITORY)).otherFiles).toEqual([
    { file: "m.Q8_0.gguf", bytes: hub.files["m.Q8_0.gguf"]!.length },
  ]);
  const fetched = hub.requests.filter((line) => line.includes("/resolve/"));
  expect(fetched.every((line) => Number(/-(\d+)$/.exec(line)?.[1]) < 2 ** 20)).toBe(true);
  await hub.close();
});

test("a tokenizer that cannot be used is a warning", async () => {
  const folder = folderSource(embedded);
  const broken: Source = {
    ...folder,
    read: async (file, ...range) =>
      file === "tokenizer.json"
        ? new TextEncoder().encode('{"model":{"type":"Unigram"}}')
        : folder.read(file, ...range),
  };
  const { warnings } = await describeModel(broken);
  expect(warnings).toEqual([expect.stringMatching(/^tokenizer\.json/)]);
});
