// The HTTP source against a loopback server that misbehaves in every known way.
import { afterEach, expect, test, vi } from "vitest";
import {
  CachedSource,
  CheckpointError,
  type HttpSourceOptions,
  httpSource,
  openCheckpoint,
  readRows,
} from "../../weights/index.ts";
import { type Handler, type Loopback, parseRange, sendFile, serve } from "./loopback.ts";
import { filesOf } from "./memory-source.ts";

const FILE = "model.safetensors";
const data = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 2654435761) >>> 24);
const quick = { retries: 3, retryDelayMs: 1, stallMs: 10_000 };

let server: Loopback | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(handler: Handler, options: HttpSourceOptions = {}) {
  server = await serve(handler);
  return {
    source: httpSource(`${server.url}/models/tiny?key=secret`, { ...quick, ...options }),
    requests: server.requests,
  };
}

const good: Handler = (request, response) => sendFile(request, response, data);
/** `bad` answers the first requests for data. Requests of the size (bytes=0-0) are answered correctly. */
const first = (times: number, bad: Handler): Handler => {
  let left = times;
  return (request, response, count) =>
    request.headers.range !== "bytes=0-0" && left-- > 0
      ? bad(request, response, count)
      : good(request, response, count);
};
const same = (bytes: Uint8Array, start: number, end: number) =>
  expect(Buffer.compare(bytes, data.subarray(start, end))).toBe(0);

test("a checkpoint loads by ranges, from a folder of the server, with the query of its address", async () => {
  const files = filesOf("test/golden/families/two_shards");
  const { source, requests } = await start((request, response) => {
    const file =
      files[decodeURIComponent(new URL(request.url ?? "", "http://x").pathname.replace("/models/tiny/", ""))];
    if (file) return sendFile(request, response, file);
    response.writeHead(404).end();
    return undefined;
  });
  const checkpoint = await openCheckpoint(source);
  const tensor = checkpoint.tensors.get("lm_head.weight");
  if (!tensor) throw new Error("no lm_head");
  for await (const { bytes, row } of readRows(checkpoint, tensor, { maxBytes: 1000 })) {
    const at = tensor.start + row * 64; // 32 numbers of bf16
    expect(bytes[0]).toBe(files[tensor.file]?.[at]);
  }
  expect(requests.every((line) => line.startsWith("GET /models/tiny/") && line.includes("?key=secret"))).toBe(
    true,
  );
  expect(source.name).not.toContain("secret");
});

test("size and ranges", async () => {
  const { source } = await start(good);
  expect(await source.size(FILE)).toBe(100_000);
  same(await source.read(FILE, 10, 20), 10, 20);
  same(await source.read(FILE), 0, 100_000);
  expect((await source.read(FILE, 5, 5)).length).toBe(0);
  await expect(source.read(FILE, 99_999, 100_001)).rejects.toThrow(/at least 100001 bytes, got 100000/);
  await expect(source.read("../etc/passwd")).rejects.toThrow(CheckpointError);
});

test("an empty file, and a missing one", async () => {
  const { source } = await start((request, response) => {
    if (request.url?.includes("config.json")) sendFile(request, response, new Uint8Array());
    else response.writeHead(404).end();
  });
  expect(await source.size("config.json")).toBe(0);
  expect(await source.size(FILE)).toBeUndefined();
  await expect(source.read(FILE)).rejects.toThrow(
    /\/models\/tiny\/model\.safetensors: expected a file, got no such file/,
  );
});

test.each<[string, Handler]>([
  ["HTTP 500", (_, response) => response.writeHead(500).end()],
  ["HTTP 429 with Retry-After", (_, response) => response.writeHead(429, { "retry-after": "0" }).end()],
  ["a connection cut before the answer", (request) => request.destroy()],
  [
    "a body cut in the middle",
    (_, response) => {
      response.writeHead(206, { "content-range": "bytes 1000-89999/100000", "content-length": 89_000 });
      response.write(data.subarray(1000, 30_000), () => setTimeout(() => response.destroy(), 20));
    },
  ],
  [
    "a body that ends early",
    (_, response) => {
      response
        .writeHead(206, { "content-range": "bytes 1000-89999/100000" })
        .end(data.subarray(1000, 30_000));
    },
  ],
  [
    "a body that goes on too long",
    (_, response) => {
      response
        .writeHead(206, { "content-range": "bytes 1000-89999/100000" })
        .end(data.subarray(1000, 90_001));
    },
  ],
  [
    "another range",
    (_, response) => {
      response.writeHead(206, { "content-range": "bytes 0-88999/100000" }).end(data.subarray(0, 89_000));
    },
  ],
  [
    "another file's size",
    (_, response) => {
      response
        .writeHead(206, { "content-range": "bytes 1000-89999/100001" })
        .end(data.subarray(1000, 90_000));
    },
  ],
  [
    "a Content-Range of nonsense",
    (_, response) => {
      response.writeHead(206, { "content-range": "lines 1-2" }).end(data.subarray(1000, 90_000));
    },
  ],
])("%s: twice is retried, always is an error", async (_, bad) => {
  const { source } = await start(first(2, bad));
  same(await source.read(FILE, 1000, 90_000), 1000, 90_000);
  await server?.close();
  const { source: hopeless } = await start(first(1e9, bad));
  await expect(hopeless.read(FILE, 1000, 90_000)).rejects.toThrow(/model\.safetensors: .*tried 4 times/);
});

test("an adapter at an address is recognised, also through a cache", async () => {
  const { source } = await start((request, response) => {
    if (request.url?.includes("adapter_config.json")) sendFile(request, response, data);
    else response.writeHead(404).end();
  });
  const words = /config\.json: .*only an adapter \("adapter_config\.json"\)\. Load its base/;
  await expect(openCheckpoint(source)).rejects.toThrow(words);
  await expect(openCheckpoint(await CachedSource.open(source, new Uint8Array()))).rejects.toThrow(words);
});

test("wrong data is a CheckpointError; a server that cannot be reached is not", async () => {
  const short = await start(
    first(1e9, (_, response) => {
      response.writeHead(206, { "content-range": "bytes 0-9/100000" }).end(data.subarray(0, 5));
    }),
  );
  await expect(short.source.read(FILE, 0, 10)).rejects.toThrow(CheckpointError);
  await server?.close();
  const down = await start(first(1e9, (_, response) => response.writeHead(503).end()));
  const error = await down.source.read(FILE, 0, 10).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(CheckpointError);
});

test("after a broken connection it resumes where it stopped", async () => {
  const { source, requests } = await start(
    first(1, (_, response) => {
      response.writeHead(206, { "content-range": "bytes 0-99999/100000", "content-length": 100_000 });
      response.write(data.subarray(0, 30_000), () => setTimeout(() => response.destroy(), 50));
    }),
  );
  same(await source.read(FILE), 0, 100_000);
  expect(requests.at(-1)).toMatch(/bytes=[1-9]\d*-99999/);
});

test("a stalled connection is retried; an abort ends it at once", async () => {
  const silent: Handler = (_, response) => {
    response.writeHead(206, { "content-range": "bytes 0-9/100000" }).write(data.subarray(0, 4));
  };
  const { source } = await start(first(1, silent), { stallMs: 100 });
  same(await source.read(FILE, 0, 10), 0, 10);
  await server?.close();
  const { source: stuck } = await start(first(1e9, silent), { stallMs: 60_000 });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 50);
  const began = performance.now();
  await expect(stuck.read(FILE, 0, 10, controller.signal)).rejects.toThrow(/abort/i);
  expect(performance.now() - began).toBeLessThan(5000);
});

test("a sleep of the machine is not a stall: data that comes then is taken; silence after it is a stall", async () => {
  const { now } = performance;
  let sleptMs = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now.call(performance) + sleptMs);
  const sleep = () => {
    sleptMs += 8 * 3600 * 1000;
  };
  const asleep: Handler = (_, response) => {
    response.writeHead(206, { "content-range": "bytes 0-9/100000" }).write(data.subarray(0, 4));
    setTimeout(sleep, 200);
    setTimeout(() => response.end(data.subarray(4, 10)), 600);
  };
  try {
    const { source, requests } = await start(first(1, asleep), { stallMs: 400, retries: 0 });
    same(await source.read(FILE, 0, 10), 0, 10);
    expect(requests.filter((line) => line.includes("bytes=0-9")).length).toBe(1);
    await server?.close();
    const silent: Handler = (_, response) => {
      response.writeHead(206, { "content-range": "bytes 0-9/100000" }).flushHeaders();
      setTimeout(sleep, 50);
    };
    const { source: stuck } = await start(first(1e9, silent), { stallMs: 100, retries: 0 });
    await expect(stuck.read(FILE, 0, 10)).rejects.toThrow(/nothing came for 0.1 s/);
  } finally {
    clock.mockRestore();
  }
});

test("Retry-After is obeyed, and an abort ends the pause", async () => {
  const { source } = await start((_, response) => response.writeHead(503, { "retry-after": "50" }).end());
  const signal = AbortSignal.timeout(100);
  await expect(source.read(FILE, 0, 10, signal)).rejects.toThrow(/timeout|abort/i);
});

test("a server that ignores Range: small files are fetched whole once, with a warning; large ones are refused", async () => {
  const warnings: string[] = [];
  const { source, requests } = await start((_, response) => response.end(data), {
    onWarning: (text) => warnings.push(text),
  });
  same(await source.read(FILE, 10, 20), 10, 20);
  same(await source.read(FILE, 500, 900), 500, 900);
  expect(requests.length).toBe(1);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/ignores Range/);
  await server?.close();
  const { source: huge } = await start((_, response) => {
    response.writeHead(200, { "content-length": 2 ** 33 }).write(data);
  });
  expect(await huge.size(FILE)).toBe(2 ** 33);
  await expect(huge.read(FILE, 8, 16)).rejects.toThrow(/a part \(HTTP 206\), got all .*ignores Range/);
});

test("a Range that is ignored once is handled by skipping bytes", async () => {
  const { source } = await start(
    first(1, (_, response) => response.writeHead(200, { "content-length": data.length }).end(data)),
  );
  same(await source.read(FILE, 700, 900), 700, 900);
});

test("a web page instead of a file", async () => {
  const page: Handler = (_, response) => {
    response
      .writeHead(200, { "content-type": "text/html; charset=utf-8" })
      .end("<!doctype html><title>App</title>");
  };
  const { source } = await start(page);
  expect(await source.size("generation_config.json")).toBeUndefined();
  await expect(openCheckpoint(source)).rejects.toThrow(/config\.json: expected the file, got an HTML page/);
  await server?.close();
  const plain = await start((_, response) => response.end("<!doctype html><title>App</title>"));
  await expect(openCheckpoint(plain.source)).rejects.toThrow(/config\.json: expected text, got an HTML/);
});

test.each([401, 403])("HTTP %i is explained, not retried", async (status) => {
  const { source, requests } = await start((_, response) => response.writeHead(status).end());
  await expect(openCheckpoint(source)).rejects.toThrow(
    new RegExp(`config\\.json: expected access, got HTTP ${status}`),
  );
  expect(requests.length).toBeLessThan(4);
});

test("headers are sent with every request; without Content-Range the size is asked by HEAD", async () => {
  const seen = new Set<unknown>();
  const { source } = await start(
    (request, response) => {
      seen.add(request.headers.authorization);
      const range = parseRange(request, data.length);
      if (!range) return sendFile(request, response, data);
      // As a page of another origin sees it.
      response.writeHead(206).end(data.subarray(range.start, range.end));
      return undefined;
    },
    { headers: { authorization: "Bearer x" } },
  );
  expect(await source.size(FILE)).toBe(100_000);
  same(await source.read(FILE, 4, 9), 4, 9);
  expect([...seen]).toEqual(["Bearer x"]);
});
