// A server on loopback that serves files, correctly or not, and records its requests.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Loopback {
  readonly url: string;
  /** "GET /path bytes=0-7" of every request. */
  readonly requests: string[];
  close(): Promise<void>;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => unknown;

export async function serve(handler: Handler): Promise<Loopback> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const { range } = request.headers;
    requests.push(`${request.method} ${request.url}${range ? ` ${range}` : ""}`);
    Promise.resolve(handler(request, response, requests.length)).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Browsers open connections in advance and keep them open for minutes.
        server.closeAllConnections();
      }),
  };
}

/** Answers a request for `file` as a correct server does, with Range. */
export function sendFile(request: IncomingMessage, response: ServerResponse, file: Uint8Array): void {
  const range = parseRange(request, file.length);
  if (!range) {
    response.writeHead(200, { "content-length": file.length });
    response.end(request.method === "HEAD" ? undefined : file);
    return;
  }
  if (range.start >= file.length) {
    response.writeHead(416, { "content-range": `bytes */${file.length}` });
    response.end();
    return;
  }
  const body = file.subarray(range.start, range.end);
  const contentRange = `bytes ${range.start}-${range.end - 1}/${file.length}`;
  response.writeHead(206, { "content-range": contentRange, "content-length": body.length });
  response.end(body);
}

export function parseRange(
  request: IncomingMessage,
  size: number,
): { start: number; end: number } | undefined {
  const [, start, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  if (start === undefined) return undefined;
  return { start: Number(start), end: Math.min(last ? Number(last) + 1 : size, size) };
}
