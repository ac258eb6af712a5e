// Runs a program in a page of headless Chromium. The page is cross-origin isolated, as WebAssembly needs for
// threads. WebGPU is off, as it is in Chromium on Linux unless it is asked for.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";
import { findChromium } from "../../../scripts/chromium.mjs";

const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
/** Of every answer. */
const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/**
 * @template T, R
 * @param {Record<string, string>} routes files and folders by their paths on the server
 * @param {Record<string, string>} imports paths on the server by the names that modules import
 * @param {(task: T) => Promise<R>} program uses nothing from outside itself
 * @param {T} task
 * @returns {Promise<R>}
 */
export async function inPage(routes, imports, program, task) {
  const found = findChromium();
  if ("why" in found) throw new Error(`Chromium: ${found.why}.`);
  const page = `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>`;
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    if (path === "/")
      return void response.writeHead(200, { ...ISOLATED, "content-type": "text/html" }).end(page);
    const file = fileOf(routes, path);
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    if (size === undefined) return void response.writeHead(404, ISOLATED).end();
    const type = Object.entries(TYPES).find(([end]) => end === extname(file))?.[1];
    const headers = { "content-length": size, "content-type": type ?? "application/octet-stream" };
    response.writeHead(200, { ...ISOLATED, ...headers });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  const browser = await chromium.launch({
    executablePath: found.path,
    env: { .../** @type {Record<string, string>} */ (process.env), ...found.env },
    args: ["--no-sandbox"],
  });
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${address.port}/`);
    return /** @type {R} */ (await tab.evaluate(/** @type {any} */ (program), task));
  } finally {
    await browser.close();
    server.close();
  }
}

/** @param {Record<string, string>} routes @param {string} path @returns {string} empty: none */
function fileOf(routes, path) {
  const [start, to] = Object.entries(routes).find(([start]) => path.startsWith(start)) ?? [];
  if (!start || !to) return "";
  return path === start ? to : join(to, path.slice(start.length));
}
