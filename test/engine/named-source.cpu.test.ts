// How a model's name is resolved in Node, and the error for a name that cannot be resolved.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { hubSource } from "../../engine/browser-platform.ts";
import { namedSource } from "../../engine/named-source.ts";
import { recordError, reviveError } from "../../engine/worker/errors.ts";
import { CheckpointError, folderUrl, isRepository, repositoryOfPage } from "../../weights/index.ts";
import { mockHub, REPOSITORY } from "../weights/mock-hub.ts";

const place = mkdtempSync(join(tmpdir(), "sirocco-named-"));
afterAll(() => rmSync(place, { recursive: true }));
const folder = join(place, "model");
cpSync("test/golden/families/gqa_4x2", folder, { recursive: true });
writeFileSync(join(place, "a.Q4_0.gguf"), "GGUF");
writeFileSync(join(place, "a.zip"), "PK");

beforeEach(() => {
  vi.stubEnv("HF_HOME", join(place, "hub"));
  vi.stubEnv("HF_HUB_OFFLINE", "");
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9"); // No server listens there.
});
afterEach(() => vi.unstubAllEnvs());

const refusal = (spec: string) =>
  namedSource(spec, {}).then(
    () => "opened",
    (error: unknown) => error,
  );

test("a folder by its path, its address, or from home", async () => {
  for (const spec of [folder, `${folder}/`, pathToFileURL(folder).href]) {
    expect(await (await namedSource(spec, {})).size("config.json"), spec).toBeGreaterThan(0);
  }
  vi.stubEnv("HOME", place);
  expect(await (await namedSource("~/model", {})).size("config.json")).toBeGreaterThan(0);
});

test("a GGUF file by its path or its address, which may be secret", async () => {
  const path = join(place, "a.Q4_0.gguf");
  for (const spec of [path, pathToFileURL(path).href, "https://host.example/x/a.Q4_0.gguf?key=secret"]) {
    const { file, name } = await namedSource(spec, {});
    expect(file, spec).toBe("a.Q4_0.gguf");
    expect(name).toMatch(/a\.Q4_0\.gguf$/);
  }
  expect(await (await namedSource(path, {})).size("a.Q4_0.gguf")).toBe(4);
});

test.each<[spec: string, words: RegExp]>([
  ["./modle", /^"\.\/modle": expected a folder, got no such folder\. Check the path; a repository/],
  ["/no/such", /got no such folder/],
  ["~/no-such", /got no such folder/],
  ["models/mistral/", /got no such folder/],
  ["C:\\models\\mistral", /got no such folder/],
  ["models\\mistral", /got no such folder/],
  ["a/b/c", /got no such folder/],
  ["mistral", /got no such folder/],
  ["file:///no/such", /got no such folder/],
  [
    join(folder, "config.json"),
    /config\.json": expected a folder, got a file\. Name its folder: ".*model"\.$/,
  ],
  [join(folder, "model.safetensors"), /got a file\. Name its folder/],
  [join(place, "b.gguf"), /b\.gguf": expected a GGUF file, got no such file/],
  ["models/b.gguf", /^"models\/b\.gguf": expected a GGUF file, got no such file/],
  [join(place, "a.zip"), /got an archive\. Unpack it/],
  [`${join(place, "a.Q4_0.gguf")}/`, /a\.Q4_0\.gguf\/": expected a folder, got no such folder/],
  ["https://host.example/x/config.json", /got a file\. Name its folder: "https:\/\/host\.example\/x\/"/],
  ["https://host.example/x/a.bin?key=secret", /^"https:\/\/host\.example\/x\/a\.bin": .*got a file/],
  [
    "https://user:secret@host.example/x/a.Q4_0.gguf",
    /a\.Q4_0\.gguf: expected an address without user and password/,
  ],
  ["https://huggingface.co/datasets/a/b", /got a page of datasets\. Give it as owner\/name/],
  ["https://huggingface.co/a", /got something else/],
  ["https://huggingface.co/a/b/tree/main/sub/folder", /got the folder "sub\/folder" in one/],
])("%s is reported at once", async (spec, words) => {
  const started = performance.now();
  const error = await refusal(spec);
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toMatch(words);
  expect((error as Error).message).not.toContain("secret");
  expect(performance.now() - started).toBeLessThan(1500);
});

test("without a Hub, an ambiguous name soon fails as neither a folder nor a repository", {
  timeout: 30_000,
}, async () => {
  const started = performance.now();
  const error = await refusal("models/mistral");
  expect(error).toMatchObject({ name: "NetworkError", code: "offline" });
  expect((error as Error).message).toMatch(
    /^models\/mistral: expected a folder here or a repository of the Hub, got no such folder, and no answer of the Hub: .*Check the connection and try again\.$/,
  );
  expect(performance.now() - started).toBeLessThan(15_000);
});

test("a cache that cannot be written: the system's error, with its own code", async () => {
  const hub = await mockHub({ "config.json": new TextEncoder().encode("{}") });
  vi.stubEnv("HF_ENDPOINT", hub.url);
  vi.stubEnv("HF_HOME", join(place, "a.zip"));
  expect(await refusal(REPOSITORY)).toMatchObject({ code: "ENOTDIR" });
  await hub.close();
});

test("a repository by its name or its page; a missing one; one with only an adapter", async () => {
  const hub = await mockHub({ "config.json": new TextEncoder().encode("{}") });
  try {
    vi.stubEnv("HF_ENDPOINT", hub.url);
    for (const spec of [
      REPOSITORY,
      `${hub.url}/${REPOSITORY}/tree/main`,
      `https://hf.co/${REPOSITORY}`,
      `hf://${REPOSITORY}`,
    ]) {
      expect((await namedSource(spec, {})).name, spec).toBe(`${REPOSITORY}@main`);
    }
    const other = await refusal("owner/other");
    expect(other).toMatchObject({ code: "not-found" });
    expect((other as Error).message).toMatch(
      /no such repository.* There is no folder "owner\/other" here either\.$/,
    );
  } finally {
    await hub.close();
  }
});

test.each<[address: string, repository: string | undefined]>([
  ["https://huggingface.co/a/b", "a/b"],
  ["https://huggingface.co/a/b/", "a/b"],
  ["http://www.huggingface.co/a/b?not-for-all-audiences=true#x", "a/b"],
  ["huggingface.co/a/b", "a/b"],
  ["hf.co/a/b/tree/v1.0", "a/b@v1.0"],
  ["hf:a/b@v1", "a/b@v1"],
  ["https://huggingface.co/a/b/blob/main/config.json", "a/b@main"],
  ["https://huggingface.co/a/b/tree/refs%2Fpr%2F1", "a/b@refs/pr/1"],
  ["https://huggingface.co/a/b/resolve/main/config.json", "a/b@main"],
  ["https://huggingface.co/a/b/discussions", "a/b"],
  ["https://huggingface.co/a/b/resolve/main/", undefined],
  ["https://host.example/a/b", undefined],
  ["a/b", undefined],
])("%s is of %s", (address, repository) => {
  expect(repositoryOfPage(address)).toBe(repository);
});

test("in a browser, a name that is no repository is refused before anything is fetched", () => {
  expect(hubSource("a/b@refs/pr/1").name).toBe("https://huggingface.co/a/b/resolve/refs%2Fpr%2F1/");
  for (const spec of ["./x", "/x/y", "x", "a/b/c", "../b"])
    expect(() => hubSource(spec), spec).toThrow(CheckpointError);
  expect(isRepository("a/b")).toBe(true);
  expect(() => folderUrl("https://me:secret@host.example/a?token=b")).toThrow(
    /^https:\/\/host\.example\/a: expected an address without user and password, got one with them\./,
  );
  expect(folderUrl("https://host.example/a.b/c").href).toBe("https://host.example/a.b/c");
});

test("an error keeps its code across threads", () => {
  const error = new CheckpointError("x", { code: "forbidden" });
  const revived = reviveError(structuredClone(recordError(error)));
  expect(revived).toBeInstanceOf(CheckpointError);
  expect(revived).toMatchObject({ code: "forbidden", message: "x" });
});
