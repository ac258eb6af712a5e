// Chromium with a page that has stored models, and a worker that loads them.
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { build } from "vite";
import type { StoredModel } from "../../engine/index.ts";
import { assembleWat } from "../../scripts/wat-plugin.mjs";
import { type Chromium, openChromium, serveFolder } from "./chromium.ts";
import type { Served } from "./counting-server.ts";
import type { StorePage } from "./store-page.ts";

declare const store: StorePage;

export type Order = Parameters<StorePage["order"]>[0];

export interface StoreSite {
  readonly url: string;
  readonly chromium: Chromium;
  openPage(): Promise<Page>;
  close(): Promise<void>;
}

/** @param first may answer a request of the site itself by returning true */
export async function openStoreSite(first?: Parameters<typeof serveFolder>[1]): Promise<StoreSite> {
  const folder = await mkdtemp(join(tmpdir(), "sirocco-store-"));
  await build({
    configFile: false,
    plugins: [assembleWat()],
    worker: { format: "es", plugins: () => [assembleWat()] },
    logLevel: "error",
    build: {
      outDir: folder,
      target: "es2023",
      minify: false,
      // Vite's preloading of dynamic imports needs a document, which a worker does not have.
      modulePreload: false,
      rolldownOptions: {
        input: { worker: "test/browser/store-worker.ts", page: "test/browser/store-page.ts" },
        output: { entryFileNames: "[name].js" },
      },
    },
  });
  await copyFile("test/browser/blank.html", join(folder, "index.html"));
  const chromium = await openChromium();
  const site = await serveFolder(folder, first);
  return {
    url: site.url,
    chromium,
    async openPage() {
      const page = await chromium.context.newPage();
      await page.goto(site.url);
      await page.addScriptTag({ url: "/page.js", type: "module" });
      await page.waitForFunction(() => "store" in globalThis);
      return page;
    },
    async close() {
      await chromium.close();
      await site.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A call to the page's worker. @param killAt ends the worker when loading reaches this point, in bytes */
export const order = (page: Page, what: Order, killAt?: number) =>
  page.evaluate(([what, killAt]) => store.order(what, killAt), [what, killAt] as const);

export const storedModels = (page: Page) =>
  page.evaluate(() => store.listStoredModels() as Promise<StoredModel[]>);

/** Answers without the single byte that is requested for a file's size. */
export const read = (served: readonly Served[]): Served[] =>
  served.filter(({ start, end }) => end - start > 1);

export const bytesOf = (served: readonly Served[]): number =>
  read(served).reduce((sum, { start, end }) => sum + end - start, 0);
