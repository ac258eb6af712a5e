// Serves a folder to pages of another origin, like a Hub, and records every requested byte.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRange, serve } from "../weights/loopback.ts";

export interface Served {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

export interface CountingServer {
  readonly url: string;
  /** The same files like on a Hub, which also lists their digests. */
  readonly hub: string;
  served: Served[];
  /** Sent instead of the file's own ETag. */
  etag: string | undefined;
  /** Requests for this file get an HTML page, as from a host without the file. */
  page: string | undefined;
  /** This byte is changed in transit. */
  wrong: { readonly file: string; readonly at: number } | undefined;
  /** After this many bytes, requests get no answer. */
  holdAfter: number;
  close(): Promise<void>;
}

export async function countingServer(folder: string): Promise<CountingServer> {
  const { url, close } = await serve(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = pathname.split("/").at(-1) ?? "";
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-expose-headers", "content-range, etag");
    if (pathname === "/api/models/owner/tiny/tree/main")
      return response.end(JSON.stringify(await list(folder)));
    const bytes = await readFile(join(folder, file)).catch(() => undefined);
    if (!bytes) return response.writeHead(404).end();
    const { start, end } = parseRange(request, bytes.length) ?? { start: 0, end: bytes.length };
    if (file === counting.page && start > 8)
      return response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
    if (counting.served.reduce((sum, each) => sum + each.end - each.start, 0) > counting.holdAfter) return;
    counting.served.push({ file, start, end });
    if (file === counting.wrong?.file) bytes[counting.wrong.at]! ^= 1;
    return response
      .writeHead(206, {
        "content-type": "application/octet-stream",
        "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
        "content-length": end - start,
        etag: counting.etag ?? `"${bytes.length}"`,
      })
      .end(bytes.subarray(start, end));
  });
  const counting: CountingServer = {
    url: `${url}/`,
    hub: `${url}/owner/tiny/resolve/main/`,
    served: [],
    etag: undefined,
    page: undefined,
    wrong: undefined,
    holdAfter: Infinity,
    close,
  };
  return counting;
}

/** Like the Hub: weights are in LFS and have a SHA-256, other files are in git. */
async function list(folder: string): Promise<object[]> {
  return Promise.all(
    (await readdir(folder)).map(async (path) => {
      const oid = createHash("sha256")
        .update(await readFile(join(folder, path)))
        .digest("hex");
      return {
        type: "file",
        path,
        oid: "0".repeat(40),
        ...(/\.(safetensors|gguf)$/.test(path) && { lfs: { oid } }),
      };
    }),
  );
}
