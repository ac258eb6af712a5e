// Servers that answer wrong, or without end, to a GGUF file that is named by its address: an error in words,
// or the right bytes. Nothing hangs.
import { afterEach, expect, test } from "vitest";
import {
  CheckpointError,
  httpSource,
  NetworkError,
  openCheckpoint,
  SourceChangedError,
} from "../../weights/index.ts";
import { smallGguf, writeGguf } from "./gguf-file.ts";
import { type Handler, type Loopback, parseRange, sendFile, serve } from "./loopback.ts";

/** The small model, with data behind the header. */
const file = writeGguf({
  ...smallGguf(),
  tensors: [
    ...smallGguf().tensors,
    { name: "extra", dims: [2 ** 17], type: 0, bytes: new Uint8Array(2 ** 19) },
  ],
});

let server: Loopback | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Loads all bytes from a server. The first requests, which ask for the size, are answered right. */
async function load(hostile: Handler, right = 1, stallMs = 30_000): Promise<unknown> {
  server = await serve((request, response, count) =>
    count <= right ? sendFile(request, response, file) : hostile(request, response, count),
  );
  const source = httpSource(`${server.url}/m.gguf`, { retries: 1, retryDelayMs: 1, stallMs });
  try {
    const checkpoint = await openCheckpoint(source);
    for (const tensor of checkpoint.tensors.values()) {
      const pieces: Uint8Array[] = [];
      for await (const { bytes } of checkpoint.readRows(tensor, { maxBytes: 2 ** 20 })) pieces.push(bytes);
      // Rows of q and k are put in another order.
      if (!/q_proj|k_proj/.test(tensor.name))
        expect(Buffer.concat(pieces).equals(file.subarray(tensor.start, tensor.end))).toBe(true);
    }
    return "loaded";
  } catch (error) {
    return error;
  }
}

/** Writes zeros until the connection is closed. */
const endless = (response: Parameters<Handler>[1]): void => {
  const more = (): void => {
    if (!response.destroyed && response.write(new Uint8Array(2 ** 16))) setImmediate(more);
  };
  response.on("drain", more);
  more();
};
const partial =
  (change: (at: { start: number; end: number; total: number }) => void): Handler =>
  (request, response) => {
    const range = parseRange(request, file.length)!;
    const body = file.subarray(range.start, range.end);
    const at = { ...range, total: file.length };
    change(at);
    response.writeHead(206, { "content-range": `bytes ${at.start}-${at.end - 1}/${at.total}` });
    response.end(body);
  };
let version = 0;

test.each<
  [
    name: string,
    handler: Handler,
    kind: abstract new (...args: never[]) => Error,
    words: RegExp,
    right?: number,
  ]
>([
  [
    "another part than was asked for",
    partial((at) => {
      at.start += 32;
      at.end += 32;
    }),
    CheckpointError,
    /m\.gguf: expected bytes 0-\d+\/\d+, got 32-.*\(tried 2 times\)\. Fetch/,
  ],
  [
    "a part of a file of another size",
    partial((at) => {
      at.total++;
    }),
    CheckpointError,
    /m\.gguf: expected bytes .*got 0-/,
  ],
  [
    "a size above what there is",
    (request, response) => {
      const range = parseRange(request, file.length);
      if (range?.start !== 0 || range.end !== 1) return sendFile(request, response, file);
      response.writeHead(206, { "content-range": "bytes 0-0/9007199254740991" }).end("G");
      return undefined;
    },
    CheckpointError,
    /m\.gguf: expected /,
    0,
  ],
  [
    "a part that ends early",
    (request, response) => {
      const { start, end } = parseRange(request, file.length)!;
      response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${file.length}` });
      response.end(file.subarray(start, start + 100));
    },
    CheckpointError,
    /m\.gguf: expected \d+ bytes, got \d+ \(tried/,
  ],
  [
    "a part without end",
    (request, response) => {
      const { start, end } = parseRange(request, file.length)!;
      response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${file.length}` });
      endless(response);
    },
    CheckpointError,
    /m\.gguf: expected \d+ bytes, got more/,
  ],
  [
    "an answer without end, from the first request on",
    (_, response) => {
      response.writeHead(200);
      endless(response);
    },
    CheckpointError,
    /m\.gguf: expected at most 67108864 bytes, got more/,
    0,
  ],
  [
    "redirects in a circle",
    (_, response) => response.writeHead(302, { location: "/m.gguf" }).end(),
    NetworkError,
    /m\.gguf: .*redirect.*\(tried 2 times\)\. Check the connection/,
  ],
  [
    "another version at each request",
    (request, response) => {
      response.setHeader("etag", `"${version++}"`);
      sendFile(request, response, file);
    },
    SourceChangedError,
    /m\.gguf: expected the version "0", got "1": the file has changed/,
    0,
  ],
  [
    "another date at each request",
    (request, response) => {
      response.setHeader("last-modified", new Date(1e12 + 1e6 * version++).toUTCString());
      sendFile(request, response, file);
    },
    SourceChangedError,
    /m\.gguf: expected the version .* GMT, got .* GMT: the file has changed/,
    0,
  ],
])("%s", async (_, handler, kind, words, right) => {
  version = 0;
  const error = await load(handler, right);
  expect(error).toBeInstanceOf(kind);
  expect((error as Error).message).toMatch(words);
});

test.each<[name: string, handler: Handler]>([
  [
    "the whole file in place of each part",
    (_, response) => response.writeHead(200, { "content-length": file.length }).end(file),
  ],
  [
    "a version at some requests only",
    (request, response, count) => {
      if (count % 2) response.setHeader("etag", '"a"');
      else response.setHeader("last-modified", new Date(1e12).toUTCString());
      sendFile(request, response, file);
    },
  ],
])("%s: the right bytes", async (_, handler) => {
  expect(await load(handler)).toBe("loaded");
  expect(await load(handler, 0)).toBe("loaded");
});

test("silence", async () => {
  const error = await load(() => {}, 1, 500);
  expect(error).toBeInstanceOf(NetworkError);
  expect((error as Error).message).toMatch(/m\.gguf: nothing came for 0\.5 s \(tried 2 times\)/);
});

test("the end of the whole file, and then more without end", async () => {
  server = await serve((request, response, count) => {
    if (count === 1) return sendFile(request, response, file);
    response.writeHead(200);
    response.write(file);
    return endless(response);
  });
  const source = httpSource(`${server.url}/m.gguf`, { retries: 1, retryDelayMs: 1 });
  const read = source.read("m.gguf", file.length - 64, undefined, AbortSignal.timeout(20_000));
  await expect(read).rejects.toThrow(/m\.gguf: expected 64 bytes, got more/);
});
