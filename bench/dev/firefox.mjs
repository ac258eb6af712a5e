// `npm run bench -- firefox`: the built site in Firefox, with nudges (engine/gpu/nudge.ts) and without, in
// turns: the time until the embedded model is ready, and of an answer the time of the first token, tokens/s
// and the longest time without new text. By default on SwiftShader, which takes a submit while the one before
// runs, as a GPU's driver does. On lavapipe a submit waits for the one before, and so does a nudge.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { parseArgs } from "node:util";
import puppeteer from "puppeteer-core";
import { buildSite } from "../../scripts/build-site.mjs";
import { findDrivers } from "../../scripts/drivers.mjs";
import { findFirefox, launchOptions } from "../../scripts/firefox.mjs";
import { root } from "../../scripts/setup.mjs";

const TYPES = new Map([
  [".html", "text/html"],
  [".js", "text/javascript"],
  [".css", "text/css"],
]);

/** Without empty submits nudges do not help, so the engine makes none. */
const NO_NUDGES = `{
  const { submit } = GPUQueue.prototype;
  GPUQueue.prototype.submit = function (commands) { if (commands.length > 0) submit.call(this, commands); };
}\n`;

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    rounds: { type: "string", default: "7" },
    tokens: { type: "string", default: "128" },
    driver: { type: "string", default: "swiftshader" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(
    "--rounds N  loads and answers of each kind, default 7\n--tokens N  of an answer, default 128\n" +
      "--driver D  swiftshader (default) or lavapipe",
  );
} else {
  await measure(values.driver, Number(values.rounds), Number(values.tokens));
}

/**
 * @param {string} driverName
 * @param {number} rounds
 * @param {number} tokens
 */
async function measure(driverName, rounds, tokens) {
  const { drivers } = await findDrivers();
  const driver = drivers.find(({ name }) => name === driverName);
  if (!driver)
    throw new Error(`${driverName}: expected one of ${drivers.map(({ name }) => name).join(", ")}.`);
  const firefox = findFirefox(drivers);
  if (!("path" in firefox)) throw new Error(`Firefox: ${firefox.why}.`);
  if (!(await buildSite())) throw new Error("The site could not be built: see above.");
  const browser = await puppeteer.launch(launchOptions({ ...firefox, env: driver.env }));
  const kinds = await Promise.all(
    ["", NO_NUDGES].map(async (prelude) => ({
      name: prelude ? "without nudges" : "with nudges",
      site: await serve(prelude),
      page: await browser.newPage(),
      visits: /** @type {Visit[]} */ ([]),
    })),
  );
  try {
    console.log(`Firefox ${firefox.version} on ${driver.adapter}, ${rounds} rounds, ${tokens} tokens`);
    for (let round = 0; round < rounds; round++) {
      for (const { page, site, visits } of kinds) {
        await page.bringToFront();
        visits.push(await visit(page, site.url, tokens));
      }
    }
    for (const { name, visits } of kinds)
      console.log(
        `${name.padEnd(15)} ready after s: ${shown(visits.map(({ load }) => load))}` +
          `   first token ms: ${shown(visits.map(({ first }) => first))}` +
          `   tokens/s: ${shown(visits.map(({ speed }) => speed))}` +
          `   longest gap ms: ${shown(visits.map(({ gap }) => gap))}`,
      );
  } finally {
    await browser.close();
    for (const { site } of kinds) site.close();
  }
}

/**
 * Seconds of the load, milliseconds until the first token, tokens/s, milliseconds without new text.
 * @typedef {{ load: number, first: number, speed: number, gap: number }} Visit
 */

/**
 * @param {import("puppeteer-core").Page} page
 * @param {string} url
 * @param {number} tokens
 * @returns {Promise<Visit>}
 */
async function visit(page, url, tokens) {
  await page.goto(url);
  const settings = JSON.stringify({ seed: 7, maxTokens: tokens });
  await page.evaluate((settings) => {
    localStorage.clear();
    localStorage.setItem("sirocco.settings", settings);
  }, settings);
  const began = performance.now();
  await page.reload();
  await page.waitForSelector('.dot[data-state="ready"]', { timeout: 120_000 });
  const load = (performance.now() - began) / 1000;
  await page.evaluate(watchText);
  await page.locator("::-p-text(Tell me a story about a cat named Tom.)").click();
  await page.waitForSelector("article footer ::-p-text(tokens/s)", { timeout: 120_000 });
  const facts = await page.$$eval("article footer", (all) => all.at(-1)?.textContent ?? "");
  const [, after, unit] = /after ([\d.]+) (m?s)/.exec(facts) ?? [];
  const speed = Number(/([\d.]+) tokens\/s/.exec(facts)?.[1]);
  const gap = await page.evaluate(() => /** @type {any} */ (globalThis).longestGap);
  return { load, first: Number(after) * (unit === "s" ? 1000 : 1), speed, gap };
}

/** In the page: measures how long its text does not change, from the first change of an answer's text on. */
function watchText() {
  const watched = /** @type {{ longestGap: number }} */ (/** @type {unknown} */ (globalThis));
  watched.longestGap = 0;
  let length = 0;
  /** @type {number | undefined} */
  let last;
  new MutationObserver(() => {
    const now = document.querySelector("markdown-text")?.textContent.length ?? 0;
    if (now <= length) return;
    const at = performance.now();
    if (last !== undefined) watched.longestGap = Math.max(watched.longestGap, at - last);
    last = at;
    length = now;
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}

/**
 * The built site; `prelude` runs first in the engine's worker.
 * @param {string} prelude
 */
async function serve(prelude) {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const file = join(root, "dist-demo", path.endsWith("/") ? `${path}index.html` : path);
    const bytes = await readFile(file).catch(() => undefined);
    if (!bytes) return void response.writeHead(404).end();
    response.setHeader("content-type", TYPES.get(extname(file)) ?? "application/octet-stream");
    const [, first, last] = (/bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? []).map(Number);
    if (first !== undefined && last !== undefined) {
      response.writeHead(206, { "content-range": `bytes ${first}-${last}/${bytes.length}` });
      return void response.end(bytes.subarray(first, last + 1));
    }
    response.end(/model-worker[^/]*\.js$/.test(path) ? prelude + bytes.toString() : bytes);
  });
  await new Promise((resolve) => server.listen(0, () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://localhost:${address.port}/`, close: () => void server.close() };
}

/**
 * The median, and the least and the most.
 * @param {readonly number[]} values
 */
function shown(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const [least, median, most] = [0, sorted.length >> 1, sorted.length - 1].map((i) =>
    (sorted[i] ?? 0).toPrecision(3),
  );
  return `${median} (${least} to ${most})`;
}
