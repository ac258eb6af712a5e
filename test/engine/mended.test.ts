// A folder with every irregularity that other libraries accept gives the right story; a separate lm_head is
// used.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as path } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../cli/run.ts";
import { loadModel, planModel, quantizeModel, type Source } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";
import { type Files, filesOf, join, memorySource, split } from "../weights/memory-source.ts";

const place = mkdtempSync(path(tmpdir(), "sirocco-mended-"));
afterAll(() => rmSync(place, { recursive: true }));
const golden = (name: string) => JSON.parse(readFileSync(`test/golden/${name}.json`, "utf8"));

/** weights/tiny-mistral as other tools may write it. */
function mendedFolder(): string {
  const folder = path(place, "tiny");
  cpSync("weights/tiny-mistral", folder, { recursive: true });
  const read = (file: string) => JSON.parse(readFileSync(path(folder, file), "utf8"));
  const write = (file: string, text: string | Uint8Array) => writeFileSync(path(folder, file), text);

  const { architectures: _, ...config } = read("config.json");
  const fields = {
    ...config,
    eos_token_id: -1,
    tie_word_embeddings: true,
    quantization_config: { quant_method: "bitsandbytes", load_in_4bit: true },
  };
  const json = JSON.stringify(fields).replace("{", '{"vocab_size":7,"attention_dropout":Infinity,');
  write("config.json", `\ufeff${json}`);
  write("generation_config.json", "{}");

  const index = read("model.safetensors.index.json");
  for (const [name, file] of Object.entries(index.weight_map)) index.weight_map[name] = `./${file}`;
  index.weight_map["model.layers.0.self_attn.rotary_emb.inv_freq"] = "model-00003-of-00003.safetensors";
  write("model.safetensors.index.json", JSON.stringify({ weight_map: index.weight_map }));

  const shard = "model-00001-of-00002.safetensors";
  const { header, data } = split(new Uint8Array(readFileSync(path(folder, shard))));
  write(shard, join(` \n${header} `, data));
  write("consolidated.safetensors", "not read");

  write("tokenizer_config.json", `\ufeff${readFileSync(path(folder, "tokenizer_config.json"), "utf8")}`);
  return folder;
}

/** The command, in this process, on the real engine. */
async function sirocco(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const screen = () => {
    const pieces: string[] = [];
    const sink = new Writable({
      decodeStrings: false,
      write(piece, _, done) {
        pieces.push(String(piece));
        done();
      },
    });
    return { sink, text: () => pieces.join("") };
  };
  const [stdout, stderr] = [screen(), screen()];
  const code = await run(args, {
    engine: () => import("../../engine/node.ts"),
    bench: async () => (await import("../../bench/run.ts")).runSuites,
    server: () => import("../../server/index.ts"),
    stdin: new PassThrough(),
    stdout: stdout.sink,
    stderr: stderr.sink,
    env: {},
    onInterrupt: () => () => {},
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

test("sirocco generate on a folder with every irregularity", { timeout: 300_000 }, async () => {
  const folder = mendedFolder();
  const once = golden("tiny-mistral/02_once");
  const prompt = path(place, "prompt.txt");
  writeFileSync(prompt, `\ufeff${once.text}\n`);
  const args = ["generate", "-m", folder, "--temperature", "0", "--no-tune", "--json"];
  const story = await sirocco(...args, "--file", prompt, "--max-tokens", "24");
  expect(story).toMatchObject({ code: 0, stderr: "" });
  const { ids, text } = JSON.parse(story.stdout);
  expect(ids).toEqual(once.greedy_64_ids.slice(0, 24));
  expect(once.greedy_64_text.startsWith(text)).toBe(true);

  // Only the tokenizer's files name its end-of-sequence token.
  const end = await sirocco(...args, "They all lived happily ever after. The end.", "--max-tokens", "8");
  expect(JSON.parse(end.stdout).finish).toMatchObject({ reason: "stop" });

  writeFileSync(prompt, new Uint8Array([0x4f, 0xc3, 0x28]));
  const torn = await sirocco(...args, "--file", prompt);
  expect(torn.code).not.toBe(0);
  expect(JSON.parse(torn.stderr).error.message).toBe(
    `--file ${prompt}: expected UTF-8 text, got other bytes at offset 1. Save it as UTF-8.`,
  );
});

const HEAD = "lm_head.weight";
const FILE = "model.safetensors";

/** The family `tied` with an lm_head made of the embedding's bytes. */
function withHead(tied: boolean, change: (bytes: Uint8Array) => Uint8Array): Source {
  const files: Files = filesOf("test/golden/families/tied");
  const { header, data } = split(files[FILE] as Uint8Array);
  const entries = JSON.parse(header);
  const { dtype, shape, data_offsets } = entries["model.embed_tokens.weight"];
  const head = change(data.slice(...(data_offsets as [number, number])));
  entries[HEAD] = { dtype, shape, data_offsets: [data.length, data.length + head.length] };
  files[FILE] = join(JSON.stringify(entries), new Uint8Array([...data, ...head]));
  const config = JSON.parse(new TextDecoder().decode(files["config.json"] as Uint8Array));
  files["config.json"] = new TextEncoder().encode(JSON.stringify({ ...config, tie_word_embeddings: tied }));
  return memorySource(files);
}

/** Its rows in reverse order. */
const turned = (bytes: Uint8Array) => {
  const rows = 96;
  const width = bytes.length / rows;
  return new Uint8Array(
    Array.from({ length: rows }, (_, i) => [
      ...bytes.subarray((rows - 1 - i) * width, (rows - i) * width),
    ]).flat(),
  );
};

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

async function logitsOf(source: Source | string, ids: number[]): Promise<number[]> {
  const model = await loadModel(source, { chunkLength: 16, device });
  try {
    return [...(await model.logits(ids))];
  } finally {
    model.dispose();
  }
}

test("a separate lm_head makes the logits, whatever tie_word_embeddings says", {
  timeout: 120_000,
}, async () => {
  const { ids, last_logits } = golden("families/tied/golden").cases[0] as {
    ids: number[];
    last_logits: number[];
  };
  const close = (logits: number[], expected: number[]) =>
    expect(Math.max(...logits.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(5e-4);
  close(
    await logitsOf(
      withHead(true, (bytes) => bytes),
      ids,
    ),
    last_logits,
  );
  // With the rows of lm_head in another order, the logits are the reference's in that order.
  close(await logitsOf(withHead(true, turned), ids), [...last_logits].reverse());
  expect(await logitsOf(withHead(true, turned), ids)).toEqual(await logitsOf(withHead(false, turned), ids));
});

test("a separate lm_head is planned, quantised and loaded again", { timeout: 120_000 }, async () => {
  const { ids } = golden("families/tied/golden").cases[0] as { ids: number[] };
  const [own, untied] = [withHead(true, turned), withHead(false, turned)];
  const [planned, expected] = [await planModel(own, { device }), await planModel(untied, { device })];
  expect({ ...planned, adapter: 0 }).toEqual({ ...expected, adapter: 0 });
  const out = path(place, "packed");
  await quantizeModel(own, { weights: "q4", out });
  const whole = await loadModel(untied, { weights: "q4", chunkLength: 16, device });
  expect(await logitsOf(out, ids)).toEqual([...(await whole.logits(ids))]);
  whole.dispose();
});
