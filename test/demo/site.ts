// The built site in Chromium, as a visitor has it.
import type { BrowserContext, Page } from "playwright-core";
import { ensureSite } from "../../scripts/build-site.mjs";
import { openChromium, serveFolder } from "../browser/chromium.ts";

export interface Site {
  readonly context: BrowserContext;
  readonly url: string;
  /** Paths that were asked of the server, by the page or its worker, since this was last called. */
  asked(): string[];
  /** What the page complained of since it was last asked, other than refused requests. */
  complaints(): string[];
  open(address?: string): Promise<Page>;
  close(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  if (!(await ensureSite())) throw new Error("The site could not be built: see above.");
  const asked: string[] = [];
  const served = await serveFolder("dist-demo", ({ url = "" }) => {
    asked.push(url);
    return false;
  });
  const { context, close } = await openChromium();
  let complaints: string[] = [];
  return {
    context,
    url: served.url,
    asked: () => asked.splice(0),
    complaints() {
      const all = complaints;
      complaints = [];
      return all;
    },
    async open(address = "") {
      const page = await context.newPage();
      page.on("pageerror", ({ message }) => complaints.push(message));
      page.on("console", (message) => {
        if (message.type() === "error" && !/Failed to load resource/.test(message.text()))
          complaints.push(message.text());
      });
      await page.goto(served.url + address);
      return page;
    },
    async close() {
      await close();
      await served.close();
    },
  };
}
