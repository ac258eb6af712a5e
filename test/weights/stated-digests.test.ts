// Digests that a server states for its files: the Hub's list, and the header of RFC 9530.
import { afterEach, expect, test } from "vitest";
import { httpSource } from "../../weights/index.ts";
import { type Handler, type Loopback, sendFile, serve } from "./loopback.ts";

const FILE = "model.safetensors";
const oid = "ab".repeat(32);
const base64 = Buffer.from(oid, "hex").toString("base64");

let server: Loopback | undefined;
afterEach(() => server?.close());

/** Serves the file under any path, and `list` as the Hub's list of revision refs/pr/1. */
async function stated(path: string, list: Handler, digest?: string) {
  server = await serve((request, response, count) => {
    if (request.url === "/api/models/owner/tiny/tree/refs%2Fpr%2F1") return list(request, response, count);
    if (request.url?.startsWith("/api/")) return response.writeHead(404).end();
    if (digest !== undefined) response.setHeader("repr-digest", digest);
    return sendFile(request, response, new Uint8Array(10));
  });
  const source = httpSource(server.url + path, { retries: 1, retryDelayMs: 1 });
  const digests = [await source.sha256?.(FILE), await source.sha256?.(FILE)];
  expect(digests[0]).toBe(digests[1]);
  return digests[0];
}

const HUB = "/owner/tiny/resolve/refs/pr/1/";
const listed = (entries: unknown): Handler => {
  return (_, response) => response.end(JSON.stringify(entries));
};
const none: Handler = (_, response) => response.writeHead(404).end();

test("the Hub's list is requested once", async () => {
  const entries = [
    { path: "config.json", oid: "0".repeat(40) },
    { path: FILE, oid: "0".repeat(40), lfs: { oid } },
  ];
  expect(await stated(HUB, listed(entries))).toBe(oid);
  expect(server!.requests.filter((line) => line.includes("/api/"))).toHaveLength(1);
});

test.each([
  ["a file that is not in LFS", listed([{ path: FILE, oid: "0".repeat(40) }])],
  ["a list that is none", listed({ error: "no" })],
  ["entries that are none", listed([null, 1, { path: FILE, lfs: null }, { path: FILE, lfs: { oid: 1 } }])],
  ["no such list", none],
])("%s: no digest", async (_, list) => {
  expect(await stated(HUB, list)).toBeUndefined();
});

test.each([
  ["HTTP 500", ((_, response) => response.writeHead(500).end()) as Handler],
  ["no JSON", ((_, response) => response.end("{")) as Handler],
])("a list that fails to load is an error, not a load without checks: %s", async (_, list) => {
  await expect(stated(HUB, list)).rejects.toThrow(/api\/models\/owner\/tiny.*\(tried 2 times\)\. Check/);
});

test("Repr-Digest of any server is the digest of the whole file, also for a part", async () => {
  expect(await stated("/models/", none, `sha-512=:AA==:, sha-256=:${base64}:`)).toBe(oid);
  expect(server!.requests.filter((line) => line.includes("/api/"))).toEqual([]);
});

test.each(["", "sha-256=:AA==:", `md5=:${base64}:`, `sha-256=${base64}`])(
  "no digest in %j",
  async (digest) => {
    expect(await stated("/models/", none, digest)).toBeUndefined();
  },
);
