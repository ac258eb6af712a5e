// Serves a folder to pages of another origin, as a Hub does, and remembers every byte that it was asked for.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

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
  const server = createServer((request, response) => {
    const file = new URL(request.url ?? "/", "http://localhost").pathname.slice(1);
    const cors = {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "content-range, etag",
    };
    readFile(join(folder, file)).then(
      (bytes) => {
        const [, first = "0", last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
        const start = Number(first);
        const end = last ? Math.min(Number(last) + 1, bytes.length) : bytes.length;
        if (file === counting.page && start > 8) {
          response.writeHead(200, { ...cors, "content-type": "text/html" }).end("<!doctype html>");
          return;
        }
        if (counting.served.reduce((sum, each) => sum + each.end - each.start, 0) > counting.holdAfter)
          return;
        counting.served.push({ file, start, end });
        response
          .writeHead(206, {
            ...cors,
            "content-type": "application/octet-stream",
            "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
            "content-length": end - start,
            etag: counting.etag ?? `"${bytes.length}"`,
          })
          .end(bytes.subarray(start, end));
      },
      () => response.writeHead(404, cors).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const counting: CountingServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    served: [],
    etag: undefined,
    page: undefined,
    holdAfter: Infinity,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return counting;
}
