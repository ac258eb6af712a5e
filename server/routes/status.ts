// Routes for load balancers and Prometheus: /health, /ready, /metrics.
import { Hono } from "hono";
import { authorize } from "../middleware.ts";
import type { Ctx, Env } from "../request-lifecycle.ts";
import type { Service } from "../service.ts";

export function status(service: Service): Hono<Env> {
  const { admission, metrics, stallDetector, name } = service;
  const app = new Hono<Env>();
  app.get("/health", (c) => c.json({ status: "ok" }));
  app.get("/ready", async (c) => {
    const stuck = await stallDetector.isStuck();
    const { running, waiting, parallel, capacity, draining, open } = admission;
    const status = draining ? "draining" : stuck ? "stuck" : open ? "ready" : "full";
    const answer = { status, model: name, running, waiting, parallel, queue: capacity };
    if (stuck) c.get("lifecycle").error = "All slots are taken, and none has made progress for a while.";
    return c.json(answer, status === "ready" ? 200 : 503);
  });
  const needsKey = authorize(service);
  app.get("/metrics", async (c, next) => (isLocal(c) ? next() : needsKey(c, next)));
  app.get("/metrics", async (c) =>
    c.body(await metrics.text(), 200, { "Content-Type": metrics.contentType }),
  );
  return app;
}

/** Whether the request comes from this machine itself and not through a proxy on it. */
function isLocal(c: Ctx): boolean {
  const address = c.env?.incoming?.socket.remoteAddress ?? "";
  const proxied = ["Forwarded", "X-Forwarded-For", "X-Real-IP"].some(
    (name) => c.req.header(name) !== undefined,
  );
  return !proxied && /^(::ffff:)?127\.|^::1$/.test(address);
}
