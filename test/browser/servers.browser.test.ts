// Servers that fail, send wrong data or are slow, in Chromium: loading fails with a clear error or can be
// aborted.
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseRange } from "../weights/loopback.ts";
import { type EnginePage, openEnginePage } from "./engine-page.ts";

const folder = new URL("../../weights/tiny-mistral/", import.meta.url);

/** The first part of the path selects how the rest is answered. */
const answers: Record<string, (response: ServerResponse, file: string, request: IncomingMessage) => void> = {
  missing: (response) => response.writeHead(404).end(),
  broken: (response) => response.writeHead(500).end(),
  html: (response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>"),
  slow: (response) => response.writeHead(200, { "content-length": 1000 }).write("{"),
  // Every answer is one byte short.
  short(response, file, request) {
    const bytes = readFileSync(new URL(file, folder));
    const { start, end } = parseRange(request, bytes.length) ?? { start: 0, end: bytes.length };
    const headers = { "content-range": `bytes ${start}-${end - 2}/${bytes.length}` };
    response.writeHead(206, headers).end(bytes.subarray(start, end - 1));
  },
};

let site: EnginePage;
let page: Page;
beforeAll(async () => {
  site = await openEnginePage((request, response) => {
    const [, kind = "", file = ""] = (request.url ?? "").split("/");
    const answer = answers[kind];
    answer?.(response, file, request);
    return answer !== undefined;
  });
  page = await site.open();
});
afterAll(() => site?.close());

/** The outcome of loading from such a server, and its time. */
const failure = (kind: string, patience = 30_000) =>
  page.evaluate(
    async ([url, patience]) => {
      const began = performance.now();
      const source = sirocco.httpSource(url, { retryDelayMs: 1 });
      const error = await sirocco.loadModel(source, { signal: AbortSignal.timeout(patience) }).then(
        () => new Error("it loaded"),
        (reason: Error) => reason,
      );
      const known = error instanceof sirocco.CheckpointError ? "CheckpointError" : error.name;
      return { name: known, message: error.message, ms: performance.now() - began };
    },
    [`${site.url}${kind}/`, patience] as const,
  );

test.each([
  [
    "missing",
    "CheckpointError",
    /config\.json: expected a file, got no such file in .*Name a folder or repository/,
  ],
  [
    "broken",
    "NetworkError",
    /config\.json: the server answered HTTP 500 \(tried 6 times\)\. Check the connection/,
  ],
  ["html", "CheckpointError", /config\.json: expected the file, got an HTML page\. Check the address/],
  ["short", "CheckpointError", /config\.json: .*\(tried 6 times\)\. Fetch the file again/],
])("%s: %s", async (kind, name, message) => {
  const error = await failure(kind);
  expect(error).toMatchObject({ name, message: expect.stringMatching(message) });
});

test("slow: an abort ends it", async () => {
  const { name, ms } = await failure("slow", 500);
  expect(name).toBe("TimeoutError");
  expect(ms).toBeLessThan(5000);
});
