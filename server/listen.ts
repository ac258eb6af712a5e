// The server on a port: limits of its sockets, and a shutdown that lets running answers finish.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { createApp } from "./app.ts";
import { longestToken } from "./context-check.ts";
import { HttpError } from "./errors.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import type { Service } from "./service.ts";
import { within } from "./within.ts";

export interface Listening {
  /** "http://127.0.0.1:8000" */
  readonly url: string;
  readonly port: number;
  /** Accepts no more requests, gives accepted ones this long to finish, and closes. */
  close(options: { readonly drainMs: number }): Promise<void>;
}

/** @throws Error if the port is taken */
export async function listen(
  service: Service,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listening> {
  const server = createServer(
    {
      // Against clients that send a request byte by byte.
      headersTimeout: 10_000,
      requestTimeout: service.finetunes ? UPLOAD_MS : 60_000,
      connectionsCheckingInterval: 2_000,
      // Longer than proxies keep idle connections, so that the proxy closes them, not the server.
      keepAliveTimeout: 75_000,
    },
    oneAtATime(getRequestListener(createApp(service).fetch, { overrideGlobalObjects: false })),
  );
  server.maxConnections = 1024;
  // Measured now, so that the first request need not wait for it.
  await longestToken(service.model);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const bound = server.address() as AddressInfo;
  const shown = bound.family === "IPv6" ? `[${bound.address}]` : bound.address;
  return {
    url: `http://${shown}:${bound.port}`,
    port: bound.port,
    close: async ({ drainMs }) => {
      await within(drainMs, drained(service));
      for (const lifecycle of service.lifecycles)
        lifecycle.abort(new HttpError(503, "This server has shut down.", { code: "shutting_down" }));
      const closed = new Promise((resolve) => server.close(resolve));
      // Connections become idle one by one, as their last bytes are read.
      const sweep = setInterval(() => server.closeIdleConnections(), 20);
      await within(LAST_BYTES_MS, closed);
      clearInterval(sweep);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Resolves when no answer runs or waits and every stream has ended. */
async function drained({ admission, lifecycles }: Service): Promise<void> {
  await admission.drain();
  await Promise.all([...lifecycles].map(({ ended }) => ended));
}

/** How long the upload of a file of an adapter may take. */
const UPLOAD_MS = 600_000;

/** How long clients have to read the last bytes at shutdown. */
const LAST_BYTES_MS = 1000;
