// The built site, as a visitor sees it.
import { readFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import type { BrowserContext, Page, Route } from "playwright-core";
import { ensureSite } from "../../scripts/build-site.mjs";
import { openChromium, serveFolder } from "../browser/chromium.ts";

export interface ServedSite {
  readonly url: string;
  /** Another host, with the folders of weights/. */
  readonly weights: string;
  /** Paths that the page or its worker requested since the last call. */
  asked(): string[];
  /** Whether the server closes every connection from now on. */
  cut(off: boolean): void;
  close(): Promise<void>;
}

/** In Chromium. */
export interface Site extends ServedSite {
  readonly context: BrowserContext;
  /** The page's errors since the last call, except refused requests. */
  complaints(): string[];
  /** `first` is called with the page before it navigates. */
  open(address?: string, first?: (page: Page) => Promise<unknown>): Promise<Page>;
}

interface SiteOptions {
  /** Run at the beginning of every engine's worker. Default: none. */
  readonly preludes?: readonly (() => void)[];
  /** Whether its host isolates the page. Default false. */
  readonly isolated?: boolean;
  /**
   * What computes. Default: what the page chooses, which is the CPU here, as Chromium's only adapter is a
   * software driver. Tests of the way of a GPU choose WebGPU.
   */
  readonly adapter?: "webgpu" | "";
}

export async function serveSite({
  preludes = [],
  isolated = false,
  adapter = "",
}: SiteOptions = {}): Promise<ServedSite> {
  if (!(await ensureSite())) throw new Error("The site could not be built: see above.");
  const asked: string[] = [];
  let off = false;
  const watched: RequestListener = (request) => {
    if (off) request.socket.destroy();
    else asked.push(request.url ?? "");
  };
  const served = await serveFolder("dist-demo", (request, response) => {
    watched(request, response);
    if (isolated) {
      response.setHeader("cross-origin-opener-policy", "same-origin");
      response.setHeader("cross-origin-embedder-policy", "require-corp");
    }
    if (off || preludes.length === 0 || !WORKER.test(request.url ?? "")) return off;
    response.setHeader("content-type", "text/javascript");
    const calls = preludes.map((prelude) => `(${prelude})();\n`).join("");
    response.end(calls + readFileSync(`dist-demo${request.url}`, "utf8"));
    return true;
  });
  const weights = await serveFolder("weights", (request, response) => {
    watched(request, response);
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "range");
    response.setHeader("access-control-expose-headers", "content-range, etag");
    if (request.method === "OPTIONS") response.writeHead(204).end();
    return off || request.method === "OPTIONS";
  });
  return {
    url: `${served.url}${adapter && `?adapter=${adapter}`}`,
    weights: weights.url,
    asked: () => asked.splice(0),
    cut(cut) {
      off = cut;
    },
    async close() {
      await served.close();
      await weights.close();
    },
  };
}

export async function openSite({
  serviceWorkers,
  ...options
}: SiteOptions & { readonly serviceWorkers?: "allow" } = {}): Promise<Site> {
  const site = await serveSite(options);
  const { context, close } = await openChromium(serviceWorkers);
  let complaints: string[] = [];
  return {
    ...site,
    context,
    complaints() {
      const all = complaints;
      complaints = [];
      return all;
    },
    async open(address = "", first = async () => {}) {
      const page = await context.newPage();
      page.on("pageerror", ({ message }) => complaints.push(message));
      page.on("console", (message) => {
        if (message.type() === "error" && !/Failed to load resource/.test(message.text()))
          complaints.push(message.text());
      });
      await first(page);
      await page.goto(site.url + address);
      return page;
    },
    async close() {
      await close();
      await site.close();
    },
  };
}

const WORKER = /model-worker[^/]*\.js$/;

/** Runs `prelude` at the beginning of every engine's worker that the page starts. */
export const inWorkers = <T>(page: Page, prelude: (argument: T) => void, argument?: T): Promise<unknown> =>
  page.route(WORKER, async (route) => {
    const response = await route.fetch();
    const call = `(${prelude})(${JSON.stringify(argument)});`;
    await route.fulfill({ response, body: `${call}\n${await response.text()}` });
  });

/** In the worker: "reset" on the channel "gpu" loses the device. "lost" also loses all that follow. */
export function losableDevices(): void {
  let lost = false;
  let last: GPUDevice | undefined;
  const channel = new BroadcastChannel("gpu");
  channel.onmessage = ({ data }) => {
    lost = data === "lost";
    last?.destroy();
    channel.postMessage("done");
  };
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    last = await requestDevice.apply(this, args);
    if (lost) last.destroy();
    return last;
  };
}

/** Sends a file like a host of weights: the requested range, or all of it. */
export function sendRange(route: Route, bytes: Buffer): Promise<void> {
  const headers = { "access-control-allow-origin": "*", "access-control-expose-headers": "content-range" };
  const range = /bytes=(\d+)-(\d+)/.exec(route.request().headers()["range"] ?? "");
  if (!range) return route.fulfill({ status: 200, headers, body: bytes });
  const [start, last] = range.slice(1).map(Number) as [number, number];
  return route.fulfill({
    status: 206,
    headers: { ...headers, "content-range": `bytes ${start}-${last}/${bytes.length}` },
    body: bytes.subarray(start, last + 1),
  });
}

/** Is there once `noteRestoring`, called in a page, has seen that an answer waits for another GPU. */
export const RESTORED = "body[data-restored]";

/** The page says so for as long as it takes, which may be too short to be looked for. */
export function noteRestoring(): void {
  new MutationObserver(() => {
    const text = document.querySelector('[aria-label="Loading again"]')?.textContent ?? "";
    if (text.includes("then the answer continues")) document.body.dataset["restored"] = "";
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}
