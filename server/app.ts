// All routes of the server.
import { Hono } from "hono";
import { cors } from "hono/cors";
import { checkOrigin, record } from "./middleware.ts";
import { openaiError } from "./openai-error.ts";
import type { Ctx, Env } from "./request-lifecycle.ts";
import { loraAdapters } from "./routes/lora-adapters.ts";
import { openai } from "./routes/openai.ts";
import { page } from "./routes/page.ts";
import { status } from "./routes/status.ts";
import { tokenizer } from "./routes/tokenizer.ts";
import { unknownRoute, welcome } from "./routes/unknown-route.ts";
import { workersAi } from "./routes/workers-ai.ts";
import type { Service } from "./service.ts";
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
  app.route("/", tokenizer(service));
  app.route("/", loraAdapters(service));
  app.route("/v1", openai(service));
  app.route(WORKERS_AI, workersAi(service));
  if (service.page) app.route("/", page(service, service.page));
  app.get("/", (c) => c.json(welcome(service, routesOf(app))));
  app.notFound((c) => {
    const { method, path } = c.req;
    const allowed = methodsFor(app, path);
    if (allowed.length > 0 && method === "OPTIONS") return c.body(null, 204, { Allow: allowed.join(", ") });
    return failed(
      unknownRoute(method, path, allowed, (other) => methodsFor(app, other)),
      c,
    );
  });
  app.onError(failed);
  return app;
}

const METHODS = ["GET", "POST"] as const;

/** The methods of a path; routes for every method do not count. */
function methodsFor(app: Hono<Env>, path: string): string[] {
  const found = METHODS.filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method && route.path !== "*"),
  );
  return found.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}

/** "POST /v1/completions", without duplicates. */
const routesOf = (app: Hono<Env>): string[] => [
  ...new Set(
    app.routes
      .filter(({ method }) => METHODS.some((known) => known === method))
      .map(({ method, path }) => `${method} ${path.replace(/\{.*\}/, "")}`),
  ),
];

/** An error in the shape of the API that was called. */
const failed = (error: unknown, c: Ctx): Response =>
  (c.req.path.startsWith(WORKERS_AI) ? workersAiError : openaiError)(error, c);
