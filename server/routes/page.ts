// The chat page at "/": the built demo, which talks to this server.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { serveStatic } from "@hono/node-server/serve-static";
import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { html } from "hono/html";
import { HttpError } from "../errors.ts";
import type { Env } from "../request-lifecycle.ts";
import type { PageFolders, Service } from "../service.ts";

/** The page may share memory between threads, where its CPU computes: https://web.dev/articles/coop-coep */
function isolate(c: Context): void {
  c.header("Cross-Origin-Opener-Policy", "same-origin");
  c.header("Cross-Origin-Embedder-Policy", "require-corp");
}

/** A year: the names of these files change with their contents. */
const FOREVER = "public, max-age=31536000, immutable";

/** @throws Error if the page is not built */
export function page({ name }: Service, folders: PageFolders): Hono<Env> {
  // The page reads from this tag that a server sent it, and the server's model.
  const tag = html`<meta name="sirocco-server" content="${name}" />`;
  const index = readFileSync(join(folders.page, "index.html"), "utf8").replace(
    "</head>",
    () => `${tag}</head>`,
  );
  const app = new Hono<Env>();
  app.get("/", (c, next) => {
    c.header("Vary", "Accept");
    // curl gets the list of routes.
    if (!c.req.header("Accept")?.includes("text/html")) return next();
    c.header("Cache-Control", "no-cache");
    // A policy in a <meta> cannot say so.
    c.header("X-Frame-Options", "DENY");
    isolate(c);
    return Promise.resolve(c.html(index));
  });
  const kept = createMiddleware(async (c, next) => {
    await next();
    if (!c.res.ok) return;
    c.header("Cache-Control", FOREVER);
    c.header("X-Content-Type-Options", "nosniff");
    isolate(c);
  });
  const withoutDigest = (path: string): string =>
    path.replace(/^\/assets\/(.*)-[\w-]{8}(\.safetensors)$/, "/$1$2");
  app.get(
    "/assets/*",
    kept,
    serveStatic({ root: folders.page }),
    serveStatic({ root: folders.weights, rewriteRequestPath: withoutDigest }),
    () => {
      // A tab that was open when another version was installed asks for files of the old one.
      throw new HttpError(404, "Expected a file of the chat page, got another name. Reload the page.", {
        code: "unknown_url",
      });
    },
  );
  for (const file of ["/manifest.webmanifest", "/icon.svg"])
    app.get(file, serveStatic({ root: folders.page }));
  return app;
}
