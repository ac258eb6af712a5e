// Headless Firefox with WebGPU on lavapipe, driven through WebDriver BiDi.
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { launchOptions } from "../../scripts/firefox.mjs";
import type { Host } from "../../scripts/hosts.mjs";

/** Firefox closes in a second. After this time it is ended. */
const CLOSE_MS = 10_000;

export interface OpenFirefox {
  readonly browser: Browser;
  /** A page that collects its errors. */
  newPage(): Promise<Page>;
  /** Uncaught errors and `console.error` of all pages since the last call. */
  complaints(): string[];
  /** Ends the browser and deletes its profile, even if the browser has died. */
  close(): Promise<void>;
}

/** A profile of its own in a temporary folder. */
export async function openFirefox(): Promise<OpenFirefox> {
  // vite.config.ts sets it; without one there is no project "firefox", and this does not run.
  const host: Host = JSON.parse(process.env["SIROCCO_FIREFOX"] ?? "{}");
  const browser = await puppeteer.launch(launchOptions(host));
  let complaints: string[] = [];
  return {
    browser,
    async newPage() {
      const page = await browser.newPage();
      page.on("pageerror", (error) =>
        complaints.push(error instanceof Error ? error.message : String(error)),
      );
      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
      });
      return page;
    },
    complaints() {
      const all = complaints;
      complaints = [];
      return all;
    },
    async close() {
      const late = setTimeout(() => browser.process()?.kill("SIGKILL"), CLOSE_MS);
      await browser.close();
      clearTimeout(late);
    },
  };
}
