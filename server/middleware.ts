// Middleware of all routes: the lifecycle of a request, allowed origins, keys.
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { HttpError } from "./errors.ts";
import { logLine } from "./log.ts";
import { isOwnOrigin } from "./origin.ts";
import { watchReader } from "./reader-watch.ts";
import { type Ctx, type Env, RequestLifecycle } from "./request-lifecycle.ts";
import type { Service } from "./service.ts";

/**
 * Creates the request's `RequestLifecycle`, sets X-Request-Id, and logs and counts the request when its
 * response has ended.
 */
export function record(service: Service): MiddlewareHandler<Env> {
  return async (c, next) => {
    const lifecycle = new RequestLifecycle(requestId(c), c.req.method, c.req.raw.signal);
    c.set("lifecycle", lifecycle);
    // Node reports a closed socket to a response only once it is being written.
    const socket = c.env?.incoming?.socket;
    const leave = () => lifecycle.leave();
    socket?.once("close", leave);
    lifecycle.onEnd(() => socket?.off("close", leave));
    service.lifecycles.add(lifecycle);
    try {
      await next();
    } finally {
      finish(c, service, lifecycle);
    }
  };
}

function finish(c: Ctx, service: Service, lifecycle: RequestLifecycle): void {
  c.header("X-Request-Id", lifecycle.id);
  // A load balancer then opens its next connection to another replica.
  if (service.admission.draining) c.header("Connection", "close");
  const { status } = c.res;
  const route = status === 404 ? "unknown" : routePath(c, -1);
  // From here on the server waits only for the reader.
  const { stallMs } = service.limits;
  const outgoing = c.env?.outgoing;
  if (outgoing)
    watchReader(outgoing, stallMs, () => {
      lifecycle.error = `The reader took nothing for ${stallMs / 1000} s.`;
      lifecycle.leave();
      outgoing.destroy();
    });
  void lifecycle.end().then(() => {
    service.lifecycles.delete(lifecycle);
    service.metrics.request(route, status);
    service.log(logLine(lifecycle, route, status));
  });
}

/** The client's own id if it is short and plain, otherwise a new one. */
function requestId(c: Ctx): string {
  const given = c.req.header("X-Request-Id") ?? "";
  return /^[\w.:=-]{1,128}$/.test(given) ? given : crypto.randomUUID();
}

/**
 * Refuses pages from origins that `cors` does not name, apart from the server's own page. Otherwise any page
 * visited on this machine could make a server on loopback work, even though the page could not read the
 * answer.
 */
export function checkOrigin({ cors, page }: Service): MiddlewareHandler<Env> {
  return async (c, next) => {
    const origin = c.req.header("Origin");
    const isOwn = page !== undefined && isOwnOrigin(origin, c.req.header("Host"));
    if (origin !== undefined && !isOwn && !cors.includes("*") && !cors.includes(origin))
      throw new HttpError(403, `Origin: expected one that this server allows, got "${origin}". Add --cors.`, {
        code: "origin_not_allowed",
      });
    await next();
  };
}

/** Requires a key if the service has keys. @throws HttpError 401 */
export function authorize({ keys }: Service): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (!keys.admits(c.req.header("Authorization")))
      throw new HttpError(
        401,
        "Expected a valid key as `Authorization: Bearer KEY`. Ask the operator of this server.",
        {
          code: "invalid_api_key",
          headers: { "WWW-Authenticate": "Bearer" },
        },
      );
    await next();
  };
}
