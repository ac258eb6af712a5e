// GGUF files of a Hub repository: chosen by name, planned from the header, downloaded whole, opened offline.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { hubSource as pageSource } from "../../engine/browser-platform.ts";
import {
  CachedSource,
  type Checkpoint,
  openCheckpoint,
  parseRepository,
  repositoryOfPage,
} from "../../weights/index.ts";
import { hubSource } from "../../weights/node.ts";
import { i32, smallGguf, u16, writeGguf } from "./gguf-file.ts";
import { type MockHub, mockHub, REPOSITORY } from "./mock-hub.ts";

const home = mkdtempSync(join(tmpdir(), "sirocco-gguf-hub-"));
afterAll(() => rmSync(home, { recursive: true }));

/** The small model with data that no header read reaches. */
function model(): Uint8Array {
  const file = smallGguf();
  file.tensors.push({ name: "extra", dims: [2 ** 17], type: 0, bytes: new Uint8Array(2 ** 19) });
  return writeGguf(file);
}

let hub: MockHub;
beforeEach(async () => {
  const files = { "README.md": new Uint8Array(3), "m.Q8_0.gguf": model(), "m.Q4_0.gguf": model() };
  hub = await mockHub({ ...files, "m.Q2_K.gguf": model() });
});
afterEach(() => hub.close());

const env = (more: Record<string, string> = {}) => ({ HF_HOME: home, HF_ENDPOINT: hub.url, ...more });
const downloads = () => hub.requests.filter((line) => line.includes("/resolve/"));

async function readAll(checkpoint: Checkpoint): Promise<void> {
  for (const tensor of checkpoint.tensors.values())
    for await (const _ of checkpoint.readRows(tensor, { maxBytes: 2 ** 20 }));
}

test("the preferred file is planned from its header, then downloaded, and opens offline", async () => {
  const fetched: { file: string; loaded: number; total: number }[] = [];
  const checkpoint = await openCheckpoint(
    await hubSource(REPOSITORY, { env: env(), onProgress: (progress) => fetched.push(progress) }),
  );
  expect(downloads().length).toBe(1);
  expect(fetched).toEqual([]);
  await readAll(checkpoint);
  const size = hub.files["m.Q4_0.gguf"]!.length;
  expect(fetched.at(-1)).toEqual({ file: "m.Q4_0.gguf", loaded: size, total: size });
  expect(downloads().every((line) => line.includes("m.Q4_0.gguf"))).toBe(true);

  hub.status = 500;
  const offline = await openCheckpoint(await hubSource(REPOSITORY, { env: env({ HF_HUB_OFFLINE: "1" }) }));
  await readAll(offline);
  expect([...offline.tensors.values()][0]!.file).toBe("m.Q4_0.gguf");
});

test("a file that is named", async () => {
  const source = await hubSource(`${REPOSITORY}@main/m.Q8_0.gguf`, { env: env() });
  expect(source.name).toBe(`${REPOSITORY}@main/m.Q8_0.gguf`);
  const checkpoint = await openCheckpoint(source);
  await readAll(checkpoint);
  expect([...checkpoint.tensors.values()][0]!.file).toBe("m.Q8_0.gguf");
});

test.each<[text: string, revision: string, file: string | undefined]>([
  ["a/b/m.gguf", "main", "m.gguf"],
  ["a/b@v1/m q4.gguf", "v1", "m q4.gguf"],
  ["a/b@refs/pr/1", "refs/pr/1", undefined],
  ["a/b@refs/pr/1/m.gguf", "refs/pr/1", "m.gguf"],
  ["a/b-GGUF/m--x.gguf", "main", "m--x.gguf"],
  ["a/b/mq/x y/m.gguf", "main", "mq/x y/m.gguf"],
  ["a/b@v1/mq/m.gguf", "v1", "mq/m.gguf"],
  ["a/b@refs/pr/1/mq/m.gguf", "refs/pr/1", "mq/m.gguf"],
  ["a/b@x%2Fy/mq/m.gguf", "x/y", "mq/m.gguf"],
  ["a/b@x/y", "x/y", undefined],
])("%s names a repository's revision and file", (text, revision, file) => {
  expect(parseRepository(text)).toMatchObject({ name: text.split(/[@]|\/m/)[0], revision });
  const parsed = parseRepository(text);
  expect(parsed.file && `${parsed.folder ?? ""}${parsed.file}`).toBe(file);
});

test.each(["a/b/../m.gguf", "a/b//m.gguf", "a/b/./m.gguf", "a/b/x/../../m.gguf"])(
  "%s names no file of a repository",
  (text) => {
    expect(() => parseRepository(text)).toThrow(/expected owner\/name/);
  },
);

test("files in a folder, one of them in parts: planned, downloaded to where Python has them, opened offline", async () => {
  const whole = smallGguf();
  const half = whole.tensors.splice(6);
  const parts = [whole, { ...smallGguf(), pairs: [], tensors: half }];
  for (const [i, part] of parts.entries()) {
    const count = i32(whole.tensors.length + half.length);
    part.pairs.push(["split.no", u16(i)], ["split.count", u16(2)], ["split.tensors.count", count]);
  }
  const names = ["BF16/m-00001-of-00002.gguf", "BF16/m-00002-of-00002.gguf"];
  hub.files = { "m.gguf": model(), "BF16/x/m.gguf": model(), "BF16/README.md": new Uint8Array(3) };
  for (const [i, name] of names.entries()) hub.files[name] = writeGguf(parts[i]!);
  for (const text of [names[1]!, "BF16/x/m.gguf"]) {
    const online = await openCheckpoint(await hubSource(`${REPOSITORY}/${text}`, { env: env() }));
    expect(online.source.name).toBe(`${REPOSITORY}@main/${text}`);
    await readAll(online);
  }
  expect(downloads().some((line) => line.includes("/m.gguf") && !line.includes("/BF16/x/"))).toBe(false);
  hub.status = 500;
  const offline = env({ HF_HUB_OFFLINE: "1" });
  for (const name of names) {
    const again = await openCheckpoint(await hubSource(`${REPOSITORY}/${name}`, { env: offline }));
    await readAll(again);
    expect(again.tensors.size).toBe(whole.tensors.length + half.length);
    const snapshot = join(home, "hub/models--owner--tiny/snapshots", hub.commit, name);
    expect(readFileSync(snapshot)).toEqual(Buffer.from(hub.files[name]!));
  }
});

test.each([
  ["a/b/x y/m.gguf", "/a/b/resolve/main/x%20y/", ["main%2Fx%20y", "main/x%20y"], "x y/"],
  ["a/b@refs/pr/1/m.gguf", "/a/b/resolve/refs%2Fpr%2F1/", ["refs%2Fpr%2F1"], ""],
])("in a browser: %s, with the digest that the Hub lists", async (text, folder, trees, prefix) => {
  const whole = model();
  const oid = "a".repeat(64);
  const asked: string[] = [];
  const online: typeof fetch = async (input) => {
    const { pathname } = new URL(`${input instanceof Request ? input.url : input}`);
    const [, tree] = /^\/api\/models\/a\/b\/tree\/(.*)$/.exec(pathname) ?? [];
    if (tree !== undefined) asked.push(tree);
    if (tree === trees.at(-1))
      return Response.json([{ path: `${prefix}m.gguf`, type: "file", lfs: { oid } }]);
    if (pathname === `${folder}m.gguf`) return new Response(whole.slice());
    return new Response("", { status: 404 });
  };
  const source = pageSource(text, { fetch: online });
  await readAll(await openCheckpoint(source));
  expect(await source.sha256?.("m.gguf")).toBe(oid);
  expect(await source.list?.()).toEqual(["m.gguf"]);
  expect(asked).toEqual(trees);
});

test("the page of a file", () => {
  const page = "https://huggingface.co/a/b/blob/main/m%20q4.gguf";
  expect(repositoryOfPage(page)).toBe("a/b@main/m q4.gguf");
  expect(repositoryOfPage("hf:a/b/m.gguf")).toBe("a/b/m.gguf");
  expect(repositoryOfPage("hf:a/b/Q4/x/m.gguf")).toBe("a/b/Q4/x/m.gguf");
  expect(repositoryOfPage("https://huggingface.co/a/b/blob/main/Q4/m.gguf")).toBe("a/b@main/Q4/m.gguf");
  expect(repositoryOfPage("https://huggingface.co/a/b/blob/x%2Fy/m.gguf")).toBe("a/b@x%2Fy/m.gguf");
  expect(repositoryOfPage("https://huggingface.co/a/b/resolve/main/m.gguf?download=true")).toBe(
    "a/b@main/m.gguf",
  );
});

test("in a browser: the list of the Hub is kept with what is stored, so that it opens without the network", async () => {
  const listed = { path: "m.Q4_0.gguf", type: "file" };
  const whole = model();
  const answers: Record<string, () => Response> = {
    "/api/models/a/b/tree/main": () => Response.json([listed, { path: "m.Q2_K.gguf", type: "file" }]),
    "/a/b/resolve/main/m.Q4_0.gguf": () => new Response(whole.slice(), { status: 200 }),
    "/a/b/resolve/main/m.Q2_K.gguf": () => new Response(new Uint8Array(9)),
  };
  const online: typeof fetch = async (input) =>
    answers[new URL(`${input instanceof Request ? input.url : input}`).pathname]?.() ??
    new Response("", { status: 404 });
  const stored = await CachedSource.open(pageSource("a/b", { fetch: online }), new Uint8Array());
  await openCheckpoint(stored);
  const refused: typeof fetch = () => Promise.reject(new TypeError("offline"));
  const origin = pageSource("a/b", { fetch: refused, retries: 0 });
  const again = await openCheckpoint(await CachedSource.open(origin, await stored.encode()));
  expect([...again.tensors.values()][0]!.file).toBe("m.Q4_0.gguf");
});
