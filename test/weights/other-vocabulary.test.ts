// tekken.json and tokenizer.model give the ids of tokenizer.json, from every kind of source.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mistral from "mistral-tokenizer-js";
import { afterAll, expect, test } from "vitest";
import type { Tokenizer } from "../../tokenizer/index.ts";
import {
  CachedSource,
  CheckpointError,
  fileSource,
  folderSource,
  httpSource,
  hubSource,
  openCheckpoint,
  type Source,
} from "../../weights/node.ts";
import { mistralV1Files, openTiny, openTokenizer, readGolden } from "../tokenizer/fixtures.ts";
import { brokenVocabularies } from "./broken-vocabularies.ts";
import { sendFile, serve } from "./loopback.ts";
import { filesOf, memorySource } from "./memory-source.ts";
import { mockHub, REPOSITORY } from "./mock-hub.ts";
import {
  encoderByRanks,
  manyTexts,
  smallModel,
  type TekkenToWrite,
  tekkenOf,
  writeModel,
} from "./vocabulary-files.ts";

const texts = readGolden<{ readonly text: string }[]>("tokenizer_cases.json").map(({ text }) => text);
const weights = filesOf("test/golden/families/gqa_4x2");
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const home = mkdtempSync(join(tmpdir(), "sirocco-vocabulary-"));
afterAll(() => rmSync(home, { recursive: true }));

async function open(source: Source): Promise<Tokenizer> {
  return openTokenizer((await (await openCheckpoint(source)).vocabulary())!);
}
const read = (files: Record<string, Uint8Array>) => open(memorySource({ ...weights, ...files }));

test("tokenizer.model of the embedded model gives the ids of its tokenizer.json", async () => {
  const model = new Uint8Array(readFileSync("weights/tiny-mistral/tokenizer.model"));
  const [ours, theirs] = [await read({ "tokenizer.model": model }), openTiny()];
  expect([ours.size, ours.bosId, ours.eosId]).toEqual([theirs.size, theirs.bosId, theirs.eosId]);
  for (const text of texts) {
    const ids = theirs.encode(text);
    expect(ours.encode(text), text).toEqual(ids);
    expect(ours.decode(ids)).toBe(theirs.decode(ids));
  }
});

test("tokenizer.model.v3 with Mistral's 32,000 tokens gives the ids of tokenizer.json", async () => {
  const model = smallModel();
  model.pieces = mistral.vocabById.map((text, id) => ({
    text,
    type: id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1,
    score: /^▁▁+$/.test(text) ? -1e9 : Math.min(0, 259 - id),
  }));
  const [ours, theirs] = [
    await read({ "tokenizer.model.v3": writeModel(model) }),
    openTokenizer(mistralV1Files()),
  ];
  for (const text of texts.filter((_, i) => i % 4 === 0))
    expect(ours.encode(text), text).toEqual(theirs.encode(text));
});

test("tekken.json merges by rank, as tiktoken does", async () => {
  const tekken = tekkenOf(manyTexts());
  const encode = encoderByRanks(tekken);
  const ours = await read({ "tekken.json": json(tekken) });
  expect([ours.bosId, ours.eosId, ours.size]).toEqual([1, 2, tekken.config["default_vocab_size"]]);
  const plain = texts.filter((text, i) => i % 3 === 0 && !/<\/?(s|unk)>|\[\/?INST\]/.test(text));
  const some = [...plain, "İstanbul  12345 \n\n don't", "a\u0085b\uFEFFc"];
  for (const text of some) {
    const ids = encode(text);
    expect(ours.encode(text), text).toEqual([1, ...ids]);
    expect(ours.decode(ids)).toBe(text);
  }
  expect(ours.encode("[INST]a[/INST]")).toEqual([1, 3, 97 + 30, 4]);
});

test("tekken.json without special tokens has those of its first versions", async () => {
  const tekken: TekkenToWrite = tekkenOf(["ab"]);
  delete tekken.special_tokens;
  const ours = await read({ "tekken.json": json(tekken) });
  expect(ours.encode("[TOOL_CALLS]ab[TOOL_CONTENT]")).toEqual([1, 9, 256 + 30, 19]);
  expect(ours.tokenText(29)).toBe("<SPECIAL_29>");
});

test("tokenizer.json comes first, then tekken.json; fields and tokens beside a vocabulary count", async () => {
  const model = { "tokenizer.model": writeModel(smallModel("[INST]")) };
  const tekken = { "tekken.json": json(tekkenOf(["ab"])) };
  const tokenizer = readFileSync("weights/tiny-mistral/tokenizer.json");
  expect((await read({ ...model, ...tekken, "tokenizer.json": tokenizer })).size).toBe(2048);
  expect((await read({ ...model, ...tekken })).encode("ab")).toEqual([1, 286]);
  const size = 3 + 1 + 256 + 7;
  expect((await read(model)).size).toBe(size);
  const decoder = {
    1: { content: "<s>", special: true },
    [size]: { content: "<|im_start|>", special: true, normalized: false },
  };
  const config = json({ add_bos_token: false, eos_token: "<|im_start|>", added_tokens_decoder: decoder });
  const added = await read({ ...model, "tokenizer_config.json": config });
  expect(added.encode("<|im_start|>the")).toEqual([size, 3 + 1 + 256 + 2]);
  expect([added.eosId, added.size]).toEqual([size, size + 1]);
  const byText = await read({ ...model, "added_tokens.json": json({ "<|im_end|>": size, "<s>": 1 }) });
  expect(byText.encode("the<|im_end|>").at(-1)).toBe(size);
});

test("`legacy: false` puts a space in front of a text only", async () => {
  const model = writeModel(smallModel("[INST]", "[/INST]"));
  const legacy = { "tokenizer.model": model, "tokenizer_config.json": json({ legacy: true }) };
  const later = { "tokenizer.model": model, "tokenizer_config.json": json({ legacy: false }) };
  const the = 3 + 2 + 256 + 2;
  const space = the + 1;
  expect((await read(legacy)).encode("[INST]the")).toEqual([1, 3, the]);
  expect((await read(legacy)).encode("[INST] the")).toEqual([1, 3, space, the]);
  expect((await read(later)).encode("[INST] the")).toEqual([1, 3, the]);
  expect((await read(later)).encode("the")).toEqual([1, the]);
});

test("without a chat template Mistral's format is used by its version, and a warning says so", async () => {
  const chat = [
    { role: "system", content: "S" },
    { role: "user", content: "a" },
    { role: "assistant", content: "b" },
    { role: "user", content: "c" },
  ] as const;
  const say = async (files: Record<string, Uint8Array>) => {
    const tokenizer = await read(files);
    const warnings: string[] = [];
    const ids = tokenizer.encodeChat(chat, { onWarning: (warning) => warnings.push(warning) });
    return [tokenizer.decode(ids, { skipSpecial: false }), warnings.join()];
  };
  const tekken = (version: string) => {
    const file = tekkenOf(["ab"]);
    return { "tekken.json": json({ ...file, config: { ...file.config, version } }) };
  };
  const used = (version: string, file: string) =>
    `chat: the checkpoint has no chat template, so Mistral's format ${version} is used, as ${file} names it.`;
  for (const version of ["v7", "v11", "v13"])
    expect(await say(tekken(version))).toEqual([
      ...["<s>[SYSTEM_PROMPT]S[/SYSTEM_PROMPT][INST]a[/INST]b</s>[INST]c[/INST]"],
      used(version, "tekken.json"),
    ]);
  expect(await say(tekken("v3"))).toEqual([
    ...["<s>[INST]a[/INST]b</s>[INST]S\n\nc[/INST]", used("v3", "tekken.json")],
  ]);
  // The space that SentencePiece puts in front of each section.
  const pieces = { "tokenizer.model.v2": writeModel(smallModel("[INST]", "[/INST]")) };
  expect(await say(pieces)).toEqual([
    ...["<s>[INST] a[/INST] b</s>[INST] S\n\nc[/INST]", used("v2", "tokenizer.model.v2")],
  ]);
  const first = { "tokenizer.model.v1": writeModel(smallModel()) };
  expect((await say(first))[0]).toBe("<s> [INST] S\n\na [/INST] b</s> [INST] c [/INST]");
  await expect(say(tekken("v99"))).rejects.toThrow(/expected a model with a chat_template, got one without/);
  await expect(say({ "tokenizer.model": writeModel(smallModel()) })).rejects.toThrow(/got one without/);
  const own = { ...tekken("v7"), "chat_template.jinja": new TextEncoder().encode("own") };
  expect(await say(own)).toEqual(["own", ""]);
});

test("from a folder, an address, picked files, the Hub, and a browser's store without the network", async () => {
  const files: Record<string, Uint8Array> = {
    ...weights,
    "tokenizer.model.v3": writeModel(smallModel("[INST]")),
  };
  const folder = mkdtempSync(join(home, "folder-"));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  const server = await serve((request, response) => {
    const file = files[request.url!.slice(1)];
    if (file) return sendFile(request, response, file);
    return response.writeHead(404).end();
  });
  const hub = await mockHub({ ...files, "README.md": json({}) });
  const cut = (name: string): Source => ({
    name,
    size: async (file) => Promise.reject(new Error(`${file}: no network`)),
    read: async (file) => Promise.reject(new Error(`${file}: no network`)),
  });
  try {
    const env = { HF_HOME: home, HF_ENDPOINT: hub.url };
    const stored = await CachedSource.open(httpSource(server.url), new Uint8Array());
    await open(stored);
    const offline = await CachedSource.open(cut(stored.name), await stored.encode());
    const picked = Object.entries(files).map(([name, bytes]) => new File([bytes.slice()], name));
    for (const source of [
      ...[folderSource(folder), httpSource(server.url), fileSource(picked)],
      ...[await hubSource(REPOSITORY, { env }), offline],
    ])
      expect((await open(source)).encode("[INST]the"), source.name).toEqual([1, 3, 3 + 1 + 256 + 2]);
    // tekken.json is not fetched beside tokenizer.json.
    hub.commit = "d".repeat(40);
    const tokenizer = new Uint8Array(readFileSync("weights/tiny-mistral/tokenizer.json"));
    hub.files = { ...files, "tekken.json": json({}), "tokenizer.json": tokenizer };
    expect((await open(await hubSource(REPOSITORY, { env }))).size).toBe(2048);
    expect(hub.requests.filter((line) => /tekken/.test(line))).toEqual([]);
  } finally {
    await server.close();
    await hub.close();
  }
});

test("there are at least 20 kinds of broken vocabularies, with different names", () => {
  expect(new Set(brokenVocabularies.map(({ name }) => name)).size).toBe(brokenVocabularies.length);
  expect(brokenVocabularies.length).toBeGreaterThanOrEqual(20);
});

test.each(brokenVocabularies)("$name is refused", async ({ file, bytes, expect: words }) => {
  const checkpoint = await openCheckpoint(memorySource({ ...weights, [file]: bytes() }));
  const error = await checkpoint.vocabulary().then(
    () => "read",
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  const { message } = error as Error;
  expect(message).toMatch(words);
  expect(message.startsWith(file)).toBe(true);
  expect(message).toMatch(/^[^:]+: (.+: )?expected .+, got .+\. \S.*$/s);
  expect(message.length).toBeLessThan(400);
});
