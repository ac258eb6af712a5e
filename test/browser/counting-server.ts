// Serves a folder to pages of another origin, as a Hub does, and remembers every byte that it was asked for.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRange, serve } from "../weights/loopback.ts";

export interface Served {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

export interface CountingServer {
  readonly url: string;
  served: Served[];
  /** In place of the file's own ETag. */
  etag: string | undefined;
  /** Answers for this file are pages, as of a host that has no such file. */
  page: string | undefined;
  /** After so many bytes requests are left waiting. */
  holdAfter: number;
  close(): Promise<void>;
}

export async function countingServer(folder: string): Promise<CountingServer> {
  const { url, close } = await serve(async (request, response) => {
    const file = new URL(request.url ?? "/", "http://localhost").pathname.slice(1);
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-expose-headers", "content-range, etag");
    const bytes = await readFile(join(folder, file)).catch(() => undefined);
    if (!bytes) return response.writeHead(404).end();
    const { start, end } = parseRange(request, bytes.length) ?? { start: 0, end: bytes.length };
    if (file === counting.page && start > 8)
      return response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
    if (counting.served.reduce((sum, each) => sum + each.end - each.start, 0) > counting.holdAfter) return;
    counting.served.push({ file, start, end });
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
    served: [],
    etag: undefined,
    page: undefined,
    holdAfter: Infinity,
    close,
  };
  return counting;
}
