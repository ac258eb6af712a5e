// GGUF files of a Hub repository: chosen by name, planned from the header, downloaded whole, opened offline.
import { mkdtempSync, rmSync } from "node:fs";
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
import { smallGguf, writeGguf } from "./gguf-file.ts";
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
])("%s names a repository's revision and file", (text, revision, file) => {
  expect(parseRepository(text)).toMatchObject({ name: text.split(/[@]|\/m/)[0], revision });
  expect(parseRepository(text).file).toBe(file);
});

test("the page of a file", () => {
  const page = "https://huggingface.co/a/b/blob/main/m%20q4.gguf";
  expect(repositoryOfPage(page)).toBe("a/b@main/m q4.gguf");
  expect(repositoryOfPage("hf:a/b/m.gguf")).toBe("a/b/m.gguf");
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
