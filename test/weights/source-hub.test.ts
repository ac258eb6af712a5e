// The Hub source against a mock Hub: verification, resuming, the cache shared with Python, offline use.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  CheckpointError,
  type HubProgress,
  type HubSourceOptions,
  hubSource,
  openAdapter,
  openCheckpoint,
  parseRepository,
  readRows,
  type Source,
} from "../../weights/node.ts";
import { filesOf, memorySource } from "./memory-source.ts";
import { type MockHub, mockHub, REPOSITORY } from "./mock-hub.ts";

const SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
const SECOND = "model-00002-of-00002.safetensors";
const whole = filesOf("test/golden/families/two_shards");
const text = (value: string) => new TextEncoder().encode(value);

let hub: MockHub;
let home: string;
let folder: string;

beforeEach(async () => {
  hub = await mockHub({
    ...whole,
    "tokenizer.json": text("{}"),
    "consolidated.safetensors": text("x"),
    "README.md": text("x"),
  });
  home = mkdtempSync(join(tmpdir(), "sirocco-hub-"));
  folder = join(home, "hub", "models--owner--tiny");
});
afterEach(async () => {
  await hub.close();
  rmSync(home, { recursive: true });
});

function open(options: HubSourceOptions & { name?: string } = {}): Promise<Source> {
  const env = { HF_HOME: home, HF_ENDPOINT: hub.url, ...options.env };
  const quick = { retries: 2, retryDelayMs: 1, stallMs: 10_000 };
  return hubSource(options.name ?? REPOSITORY, { ...quick, ...options, env });
}

/** Reads every tensor and compares it with the folder that the mock Hub serves. */
async function loadAll(source: Source): Promise<void> {
  const checkpoint = await openCheckpoint(source);
  for (const tensor of checkpoint.tensors.values()) {
    for await (const { bytes } of readRows(checkpoint, tensor, { maxBytes: 2 ** 30 })) {
      const stored = whole[tensor.file]?.subarray(tensor.start, tensor.end) ?? new Uint8Array();
      expect(Buffer.compare(bytes, stored)).toBe(0);
    }
  }
}

const leftovers = () =>
  readdirSync(join(folder, "blobs")).filter((name) => !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(name));
const downloads = () => hub.requests.filter((line) => line.includes("/resolve/"));

test("a repository loads; the cache has Python's layout; consolidated.safetensors is never requested", async () => {
  await loadAll(await open());
  const snapshot = join(folder, "snapshots", hub.commit);
  expect(readFileSync(join(folder, "refs", "main"), "utf8")).toBe(hub.commit);
  expect(readdirSync(snapshot).sort()).toEqual(
    ["config.json", "model.safetensors.index.json", "tokenizer.json", ...SHARDS].sort(),
  );
  for (const name of readdirSync(snapshot)) {
    expect(lstatSync(join(snapshot, name)).isSymbolicLink()).toBe(true);
    expect(readlinkSync(join(snapshot, name))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]+$/);
    expect(Buffer.compare(readFileSync(join(snapshot, name)), hub.files[name] ?? new Uint8Array())).toBe(0);
  }
  expect(leftovers()).toEqual([]);
  expect(hub.requests.join("\n")).not.toMatch(/consolidated|README/);
});

test("the checkpoint can be opened, and refused, before its weights are downloaded", async () => {
  await openCheckpoint(await open());
  expect(SHARDS.some((shard) => existsSync(join(folder, "snapshots", hub.commit, shard)))).toBe(false);
  const shardBytes = downloads().filter((line) => /-of-/.test(line));
  expect(shardBytes.every((line) => Number(/-(\d+)$/.exec(line)?.[1]) < 8000)).toBe(true);
  expect(existsSync(join(folder, "refs", "main"))).toBe(false); // Not whole yet.
});

test("a second load downloads nothing; offline or without an answer the cache is used", async () => {
  await loadAll(await open());
  const before = downloads().length;
  await loadAll(await open());
  expect(downloads().length).toBe(before);

  const asked = hub.requests.length;
  await loadAll(await open({ env: { HF_HUB_OFFLINE: "1" } }));
  // A commit never changes: nothing to ask.
  await loadAll(await open({ name: `${REPOSITORY}@${hub.commit}` }));
  expect(hub.requests.length).toBe(asked);

  hub.status = 503;
  await loadAll(await open());
  const url = hub.url;
  await hub.close();
  await loadAll(await open({ env: { HF_ENDPOINT: url } }));
  hub = await mockHub({});
});

test("offline with an incomplete cache is an error that says so", async () => {
  await openCheckpoint(await open());
  await expect(open({ env: { HF_HUB_OFFLINE: "1" } })).rejects.toThrow(
    /whole checkpoint in the cache.*HF_HUB_OFFLINE/,
  );
});

test("a new commit is noticed; files with the same bytes are not fetched again", async () => {
  await loadAll(await open());
  const before = downloads().length;
  hub.commit = "d".repeat(40);
  await loadAll(await open());
  expect(readFileSync(join(folder, "refs", "main"), "utf8")).toBe(hub.commit);
  expect(
    downloads()
      .slice(before)
      .filter((line) => !/bytes=\d{1,2}-/.test(line)),
  ).toEqual([]);
});

test("an aborted download leaves no wrong file, and is resumed by Range", async () => {
  const controller = new AbortController();
  let sent = 0;
  hub.intercept = (file, request, response) => {
    const size = hub.files[file]?.length ?? 0;
    if (file !== SECOND || request.headers.range !== `bytes=0-${size - 1}`) return false;
    response.writeHead(206, { "content-range": `bytes 0-${size - 1}/${size}`, "content-length": size });
    sent = Math.floor(size / 2);
    response.write(hub.files[file]?.subarray(0, sent));
    return true;
  };
  const onProgress = ({ file, loaded, total }: HubProgress) => {
    if (file === SECOND && loaded > total - (hub.files[SECOND]?.length ?? 0)) controller.abort();
  };
  const source = await open({ onProgress, signal: controller.signal });
  await expect(loadAll(source)).rejects.toThrow(/abort/i);
  expect(existsSync(join(folder, "snapshots", hub.commit, SECOND))).toBe(false);
  expect(leftovers().some((name) => name.endsWith(".incomplete"))).toBe(true);

  hub.intercept = undefined;
  const before = hub.requests.length;
  await loadAll(await open());
  const resumed = hub.requests
    .slice(before)
    .filter((line) => line.includes(SECOND) && /bytes=\d{3,}-/.test(line));
  expect(resumed).toHaveLength(1);
  expect(resumed[0]).not.toContain("bytes=0-");
  expect(leftovers()).toEqual([]);
});

test("the lock and the partial file of a killed process are taken over", async () => {
  await openCheckpoint(await open());
  const digest = await digestOf(SECOND);
  const half = (whole[SECOND] ?? new Uint8Array()).subarray(0, 20_000);
  writeFileSync(join(folder, "blobs", `${digest}.sirocco.incomplete`), half);
  writeFileSync(join(folder, "blobs", `${digest}.sirocco.lock`), "999999999");
  await loadAll(await open());
  expect(downloads().some((line) => line.includes(SECOND) && line.includes("bytes=20000-"))).toBe(true);
  expect(leftovers()).toEqual([]);
});

test.each([
  ["wrong", 20_000],
  ["too many", 1_000_000],
])("%s bytes of an earlier run are discarded", async (_, length) => {
  mkdirSync(join(folder, "blobs"), { recursive: true });
  writeFileSync(
    join(folder, "blobs", `${await digestOf(SECOND)}.sirocco.incomplete`),
    new Uint8Array(length),
  );
  await loadAll(await open());
  expect(leftovers()).toEqual([]);
});

test("the lock of a running process is respected, and concurrent loads succeed", async () => {
  await Promise.all(Array.from({ length: 5 }, () => open().then(loadAll)));
  expect(leftovers()).toEqual([]);
});

test("a connection that breaks again and again is resumed within one load", async () => {
  let cuts = 0;
  hub.intercept = (file, request, response) => {
    const [, start = "0", last = "0"] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
    const size = hub.files[file]?.length ?? 0;
    if (file !== SECOND || Number(last) !== size - 1 || cuts++ >= 2) return false;
    response.writeHead(206, {
      "content-range": `bytes ${start}-${last}/${size}`,
      "content-length": size - Number(start),
    });
    response.write(hub.files[file]?.subarray(Number(start), Number(start) + 5000), () =>
      setTimeout(() => response.destroy(), 30),
    );
    return true;
  };
  await loadAll(await open());
  expect(cuts).toBeGreaterThan(2);
});

test.each(["config.json", SECOND])(
  "%s with other bytes than announced is refused, and not kept",
  async (name) => {
    hub.intercept = (file, request, response) => {
      if (file !== name) return false;
      const bytes = hub.files[file]?.slice() ?? new Uint8Array();
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      response.writeHead(206, { "content-range": contentRange(request.headers.range, bytes.length) });
      response.end(slice(request.headers.range, bytes));
      return true;
    };
    const error = await open()
      .then(loadAll)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(
      new RegExp(`owner/tiny@main: ${name}: expected (SHA-256|git SHA-1) \\w+, got \\w+`),
    );
    expect(leftovers()).toEqual([]);
    hub.intercept = undefined;
    await loadAll(await open());
  },
);

test("a header that differs from the file's is noticed after the download", async () => {
  const source = await open();
  hub.intercept = (file, request, response) => {
    if (
      file !== SECOND ||
      request.headers.range?.startsWith("bytes=0-") ||
      /-\d{5,}$/.test(request.headers.range ?? "")
    )
      return false;
    const bytes = Uint8Array.from(hub.files[file] ?? []);
    const at = new TextDecoder().decode(bytes).indexOf("model.norm.weight");
    bytes.set(text("model.morn.weight"), at);
    response.writeHead(206, { "content-range": contentRange(request.headers.range, bytes.length) });
    response.end(slice(request.headers.range, bytes));
    return true;
  };
  await source.read(SECOND, 0, 8);
  const length = Number(new DataView((whole[SECOND] ?? new Uint8Array()).buffer).getBigUint64(0, true));
  await source.read(SECOND, 8, 8 + length);
  await expect(source.read(SECOND, 8 + length, 16 + length)).rejects.toThrow(/header that was read before/);
});

test.each([
  ["shorter", -7],
  ["longer", 9],
])("a file %s than announced is refused", async (_, by) => {
  hub.intercept = (file, request, response) => {
    if (file !== SECOND) return false;
    const bytes = new Uint8Array((hub.files[file]?.length ?? 0) + by);
    bytes.set(hub.files[file]?.subarray(0, bytes.length) ?? []);
    const last = /-(\d+)$/.exec(request.headers.range ?? "")?.[1];
    if (last === undefined || Number(last) < 10_000) return false;
    response.writeHead(200, { "content-length": bytes.length }).end(bytes);
    return true;
  };
  const error = await open()
    .then(loadAll)
    .catch((e: unknown) => e);
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toMatch(/model-00002-of-00002\.safetensors: expected \d+ bytes, got \d+/);
  expect(existsSync(join(folder, "snapshots", hub.commit, SECOND))).toBe(false);
});

test("progress counts the bytes of all weights to the end", async () => {
  const seen: HubProgress[] = [];
  await loadAll(await open({ onProgress: (progress) => seen.push(progress) }));
  const total = SHARDS.reduce((sum, shard) => sum + (whole[shard]?.length ?? 0), 0);
  expect(seen.every((progress) => progress.total === total)).toBe(true);
  expect(seen.map(({ loaded }) => loaded)).toEqual(seen.map(({ loaded }) => loaded).sort((a, b) => a - b));
  expect(seen.at(-1)?.loaded).toBe(total);
});

test("the token is sent to the Hub, from the option, HF_TOKEN or the login's file; without it the message says what to do", async () => {
  hub.token = "secret";
  await expect(open()).rejects.toThrow(
    /owner\/tiny@main: expected access, got HTTP 401\..*licence.*HF_TOKEN/,
  );
  await loadAll(await open({ env: { HF_TOKEN: " secret\n" } }));
  rmSync(folder, { recursive: true });
  await loadAll(await open({ env: { HF_TOKEN: "another" }, token: "secret" }));
  rmSync(folder, { recursive: true });
  writeFileSync(join(home, "token"), "secret\n");
  await loadAll(await open());
});

test("the refusal of a gated file says what to do, too", async () => {
  hub.intercept = (_, __, response) => Boolean(response.writeHead(403).end());
  await expect(open()).rejects.toThrow(/config\.json: expected access, got HTTP 403\..*licence.*HF_TOKEN/);
});

test("an unknown repository, a Hub that is down, an abort", async () => {
  await expect(open({ name: "owner/other" })).rejects.toThrow(/no such repository or revision/);
  hub.status = 500;
  const down = await open().catch((error: unknown) => error);
  expect(down).toBeInstanceOf(Error);
  expect(down).not.toBeInstanceOf(CheckpointError);
  await expect(open({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
});

test("HF_HUB_CACHE moves the cache", async () => {
  await loadAll(await open({ env: { HF_HUB_CACHE: join(home, "elsewhere") } }));
  expect(readdirSync(join(home, "elsewhere"))).toEqual(["models--owner--tiny"]);
});

test("one file and no index", async () => {
  hub.files = { ...filesOf("test/golden/families/gqa_4x2") };
  const source = await open();
  const { tensors } = await openCheckpoint(source);
  expect(tensors.size).toBe(21);
  expect(await source.size("consolidated.safetensors")).toBeUndefined();
});

test("an old index beside the weights, online and from the cache", async () => {
  const index = { weight_map: { "model.norm.weight": "model-00001-of-00009.safetensors" } };
  hub.files = {
    ...filesOf("test/golden/families/gqa_4x2"),
    "model.safetensors.index.json": text(JSON.stringify(index)),
    "tokenizer.json": text("{}"),
  };
  const read = async (source: Source) => {
    const checkpoint = await openCheckpoint(source);
    for (const tensor of checkpoint.tensors.values())
      for await (const _ of readRows(checkpoint, tensor, { maxBytes: 2 ** 30 }));
    return checkpoint.tensors.size;
  };
  expect(await read(await open())).toBe(21);
  expect(await read(await open({ env: { HF_HUB_OFFLINE: "1" } }))).toBe(21);
});

test("a repository of the first AutoGPTQ: its names of files, and its quantize_config.json", async () => {
  const { "model.safetensors": weights, ...others } = filesOf(
    "test/golden/quantised/gptq_old_quantize_config",
  );
  hub.files = { ...others, "gptq_model-4bit-32g.safetensors": weights!, "tokenizer.json": text("{}") };
  const read = async (source: Source) => {
    const checkpoint = await openCheckpoint(source);
    for (const tensor of checkpoint.tensors.values())
      for await (const _ of checkpoint.readRows(tensor, { maxBytes: 2 ** 30 }));
    return checkpoint.quantised?.name;
  };
  expect(await read(await open())).toMatch(/^GPTQ with 4 bits/);
  expect(await read(await open({ env: { HF_HUB_OFFLINE: "1" } }))).toMatch(/^GPTQ with 4 bits/);
});

test("a repository with only an adapter", async () => {
  hub.files = { "adapter_config.json": text("{}"), "adapter_model.safetensors": text("x") };
  await expect(open().then((source) => openCheckpoint(source))).rejects.toThrow(
    /config\.json: expected a file, got no such file in owner\/tiny@main but only an adapter \("adapter_\w+\.\w+"\)\. Load its base/,
  );
});

test("names of repositories", () => {
  expect(parseRepository("mistralai/Mistral-7B-Instruct-v0.1")).toEqual({
    name: "mistralai/Mistral-7B-Instruct-v0.1",
    revision: "main",
    endpoint: "https://huggingface.co",
  });
  expect(parseRepository("a/b@refs/pr/1").revision).toBe("refs/pr/1");
  const branch = "gptq-4bit-32g-actorder_True";
  expect(parseRepository(`TheBloke/Mistral-7B-v0.1-GPTQ@${branch}`).revision).toBe(branch);
  for (const bad of [
    "a",
    "a/b/c",
    "../b",
    "a/..",
    "a/b@",
    "a/b@../x",
    "a/b@x/../y",
    "/a/b",
    "a/b@/x",
    "a--b/c",
    "a/b c",
    "",
  ]) {
    expect(() => parseRepository(bad), bad).toThrow(CheckpointError);
  }
  expect(() => parseRepository("a/b", "ftp://x")).toThrow(/HF_ENDPOINT/);
});

async function digestOf(name: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  return createHash("sha256")
    .update(whole[name] ?? "")
    .digest("hex");
}

function slice(range: string | undefined, bytes: Uint8Array): Uint8Array {
  const [, start = "0", last = ""] = /bytes=(\d+)-(\d+)/.exec(range ?? "") ?? [];
  return bytes.subarray(Number(start), Number(last) + 1);
}

function contentRange(range: string | undefined, size: number): string {
  return `${(range ?? "").replace("=", " ")}/${size}`;
}

test("a repository that holds an adapter only: both its files are downloaded and verified, and kept", async () => {
  await hub.close();
  const files = filesOf("test/golden/families/gqa_4x2");
  const folder = "test/golden/adapters/lora_qv";
  const names = ["adapter_config.json", "adapter_model.safetensors"];
  hub = await mockHub(
    Object.fromEntries(names.map((name) => [name, new Uint8Array(readFileSync(`${folder}/${name}`))])),
  );
  const { config } = await openCheckpoint(memorySource(files));
  const adapter = await openAdapter("x", await open(), config);
  expect(adapter.matrix("vProj", 1)?.rank).toBe(3);
  const env = { HF_HUB_OFFLINE: "1" };
  const again = await openAdapter("x", await open({ env }), config);
  expect(again.digest).toBe(adapter.digest);
});
