// The built site in Chromium, as a visitor has it.
import type { BrowserContext, Page } from "playwright-core";
import { ensureSite } from "../../scripts/build-site.mjs";
import { openChromium, serveFolder } from "../browser/chromium.ts";

export interface Site {
  readonly context: BrowserContext;
  readonly url: string;
  /** What the page complained of since it was last asked, other than refused requests. */
  complaints(): string[];
  open(address?: string): Promise<Page>;
  close(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  if (!(await ensureSite())) throw new Error("The site could not be built: see above.");
  const served = await serveFolder("dist-demo");
  const { context, close } = await openChromium();
  let complaints: string[] = [];
  return {
    context,
    url: served.url,
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
