// What happens around every route.
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { HttpError } from "./errors.ts";
import { type Ctx, type Env, Exchange } from "./exchange.ts";
import { logLine } from "./log.ts";
import { watchReader } from "./reader-watch.ts";
import type { Service } from "./service.ts";

/** Makes the request's `Exchange`, names it in X-Request-Id, and logs and counts it when its answer has ended. */
export function record(service: Service): MiddlewareHandler<Env> {
  return async (c, next) => {
    const exchange = new Exchange(requestId(c), c.req.method, c.req.raw.signal);
    c.set("exchange", exchange);
    // Node tells a response of its socket's end only where it has begun to write it.
    const socket = c.env?.incoming?.socket;
    const leave = () => exchange.leave();
    socket?.once("close", leave);
    exchange.onEnd(() => socket?.off("close", leave));
    service.exchanges.add(exchange);
    try {
      await next();
    } finally {
      finish(c, service, exchange);
    }
  };
}

function finish(c: Ctx, service: Service, exchange: Exchange): void {
  c.header("X-Request-Id", exchange.id);
  // Who balances the load opens a connection to another.
  if (service.admission.draining) c.header("Connection", "close");
  const { status } = c.res;
  const route = status === 404 ? "unknown" : routePath(c, -1);
  // From here on only the reader is waited for.
  const { stallMs } = service.limits;
  const outgoing = c.env?.outgoing;
  if (outgoing)
    watchReader(outgoing, stallMs, () => {
      exchange.error = `The reader took nothing for ${stallMs / 1000} s.`;
      exchange.leave();
      outgoing.destroy();
    });
  void exchange.end().then(() => {
    service.exchanges.delete(exchange);
    service.metrics.request(route, status);
    service.log(logLine(exchange, route, status));
  });
}

/** The client's own id, where it is a short word, else a new one. */
function requestId(c: Ctx): string {
  const given = c.req.header("X-Request-Id") ?? "";
  return /^[\w.:=-]{1,128}$/.test(given) ? given : crypto.randomUUID();
}

/**
 * Refuses pages of origins that `cors` does not name: without it any page that somebody here visits could have a server on
 * loopback work for it, though it could not read the answer.
 */
export function checkOrigin({ cors }: Service): MiddlewareHandler<Env> {
  return async (c, next) => {
    const origin = c.req.header("Origin");
    if (origin !== undefined && !cors.includes("*") && !cors.includes(origin))
      throw new HttpError(403, `Origin: expected one that this server allows, got "${origin}". Add --cors.`, {
        code: "origin_not_allowed",
      });
    await next();
  };
}

/** Lets nobody pass without a key, where the service has some. @throws HttpError 401 */
export function authorize({ keys }: Service): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (!keys.admits(c.req.header("Authorization")))
      throw new HttpError(
        401,
        "Expected a valid key as `Authorization: Bearer KEY`. Ask who runs this server.",
        {
          code: "invalid_api_key",
          headers: { "WWW-Authenticate": "Bearer" },
        },
      );
    await next();
  };
}
