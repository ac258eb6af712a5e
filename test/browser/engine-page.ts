// Builds and serves a page with the engine, next to the embedded model's files: `weights/tiny-mistral/`.
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { build } from "vite";
import { assembleWat } from "../../scripts/wat-plugin.mjs";
import { openChromium, serveFolder } from "./chromium.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface EnginePage {
  readonly context: BrowserContext;
  readonly url: string;
  /** A fresh page with `sirocco` in it. */
  open(): Promise<Page>;
  close(): Promise<void>;
}

/** `first` may answer a request of the page itself by returning true. */
export async function openEnginePage(first?: Parameters<typeof serveFolder>[1]): Promise<EnginePage> {
  const folder = await mkdtemp(join(tmpdir(), "sirocco-page-"));
  await build({
    configFile: false,
    plugins: [assembleWat()],
    root: join(root, "test", "browser", "page"),
    base: "./",
    publicDir: false,
    logLevel: "error",
    build: { outDir: folder, emptyOutDir: true, target: "es2023", minify: false },
    worker: { format: "es", plugins: () => [assembleWat()] },
  });
  await symlink(join(root, "weights"), join(folder, "weights"), "junction");
  const site = await serveFolder(folder, first);
  const { context, close } = await openChromium();
  return {
    context,
    url: site.url,
    async open() {
      const page = await context.newPage();
      await page.goto(site.url);
      await page.waitForFunction(() => "sirocco" in globalThis);
      return page;
    },
    async close() {
      await close();
      await site.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
