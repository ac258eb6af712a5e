// Headless Chromium with WebGPU on SwiftShader, and a loopback server for its pages.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import type { Host } from "../../scripts/hosts.mjs";
import { sendFile, serve } from "../weights/loopback.ts";

export interface Chromium {
  /** Another one after `restart`. */
  readonly context: BrowserContext;
  /** Kills the browser's process, and starts another with the same profile. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A profile on disk, since OPFS of an incognito profile cannot hold large files. Closing deletes it. Service
 * workers are blocked unless a test needs them: their requests bypass a test's routes.
 */
export async function openChromium(serviceWorkers: "allow" | "block" = "block"): Promise<Chromium> {
  // vite.config.ts sets it; without one there is no project "chromium", and this does not run.
  const { path, env }: Host = JSON.parse(process.env["SIROCCO_CHROMIUM"] ?? "{}");
  const profile = await mkdtemp(join(tmpdir(), "sirocco-chromium-"));
  const launch = async () => {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: path,
      env: { ...(process.env as Record<string, string>), ...env },
      headless: true,
      serviceWorkers,
      args: ["--no-sandbox", "--enable-unsafe-webgpu", "--ignore-gpu-blocklist"],
    });
    // Other tests compute beside these.
    context.setDefaultTimeout(60_000);
    return context;
  };
  let context = await launch();
  return {
    get context() {
      return context;
    },
    async restart() {
      const session = await context.browser()!.newBrowserCDPSession();
      const { processInfo } = await session.send("SystemInfo.getProcessInfo");
      const closed = new Promise((resolve) => context.once("close", resolve));
      process.kill(processInfo.find(({ type }) => type === "browser")!.id, "SIGKILL");
      await closed;
      context = await launch();
    },
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};

/** Serves a folder; `first` may answer a request itself by returning true. */
export async function serveFolder(
  folder: string,
  first: (...args: Parameters<RequestListener>) => boolean = () => false,
): Promise<{ url: string; close(): Promise<void> }> {
  const { url, close } = await serve(async (request, response) => {
    if (first(request, response)) return;
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    const bytes = await readFile(file).catch(() => undefined);
    if (!bytes) return void response.writeHead(404).end();
    response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
    sendFile(request, response, bytes);
  });
  return { url: `${url}/`, close };
}
