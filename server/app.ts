// All routes of the server.
import { Hono } from "hono";
import { cors } from "hono/cors";
import { HttpError } from "./errors.ts";
import type { Ctx, Env } from "./exchange.ts";
import { checkOrigin, record } from "./middleware.ts";
import { openai } from "./openai.ts";
import { openaiError } from "./openai-error.ts";
import type { Service } from "./service.ts";
import { status } from "./status.ts";
import { workersAi } from "./workers-ai.ts";
import { workersAiError } from "./workers-ai-error.ts";

const WORKERS_AI = "/client/v4";

export function createApp(service: Service): Hono<Env> {
  const app = new Hono<Env>();
  app.use(record(service));
  app.use(checkOrigin(service));
  if (service.cors.length > 0)
    app.use(
      cors({
        origin: service.cors.includes("*") ? "*" : [...service.cors],
        exposeHeaders: ["X-Request-Id", "Retry-After"],
        maxAge: 600,
      }),
    );
  app.route("/", status(service));
  app.route("/v1", openai(service));
  app.route(WORKERS_AI, workersAi(service));
  app.notFound((c) => {
    const message = `Unknown route: ${c.req.method} ${c.req.path}. server/README.md lists them.`;
    return failed(new HttpError(404, message, { code: "unknown_url" }), c);
  });
  app.onError(failed);
  return app;
}

/** In the shape of the API that was called. */
const failed = (error: unknown, c: Ctx): Response =>
  (c.req.path.startsWith(WORKERS_AI) ? workersAiError : openaiError)(error, c);
