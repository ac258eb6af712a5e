// The app on a port: limits of its sockets, and an end that lets running answers finish.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { createApp } from "./app.ts";
import { longestToken } from "./context-check.ts";
import { HttpError } from "./errors.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import type { Service } from "./service.ts";

export interface Listening {
  /** "http://127.0.0.1:8000" */
  readonly url: string;
  readonly port: number;
  /** Takes no more answers, lets those that are accepted finish for so long, and ends. */
  close(options: { readonly drainMs: number }): Promise<void>;
}

/** @throws Error where the port is taken */
export async function listen(
  service: Service,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listening> {
  const server = createServer(
    {
      // Who sends a request byte by byte is cut off.
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      connectionsCheckingInterval: 2_000,
      // Longer than a proxy in front keeps an idle connection: it, not the server, should end it.
      keepAliveTimeout: 75_000,
    },
    oneAtATime(getRequestListener(createApp(service).fetch, { overrideGlobalObjects: false })),
  );
  server.maxConnections = 1024;
  // Not in the way of the first request.
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
      // Connections fall idle one by one, as their last bytes are read.
      const sweep = setInterval(() => server.closeIdleConnections(), 20);
      await within(LAST_BYTES_MS, closed);
      clearInterval(sweep);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Nothing runs or waits, and the last words of every stream are said. */
async function drained({ admission, lifecycles }: Service): Promise<void> {
  await admission.drain();
  await Promise.all([...lifecycles].map(({ ended }) => ended));
}

/** How long readers have for what was written when the server ends. */
const LAST_BYTES_MS = 1000;

/** Waits for `work`, but no longer than `limit`. */
async function within(limit: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limit);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
