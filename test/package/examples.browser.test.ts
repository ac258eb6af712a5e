// The examples for browsers, built against the packed package and opened: all print the same story.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, createServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openChromium, serveFolder } from "../browser/chromium.ts";
import { goldenStory, installPackage, linkPackage, root, run } from "./install.ts";

const app = mkdtempSync(join(tmpdir(), "sirocco-examples-"));
let chromium: Awaited<ReturnType<typeof openChromium>>;

beforeAll(async () => {
  await installPackage(app);
  linkPackage(app, "vite");
  chromium = await openChromium();
});
afterAll(async () => {
  await chromium?.close();
  rmSync(app, { recursive: true, force: true });
});

/** A copy of an example, with the packages installed. */
function copyExample(name: string): string {
  const folder = mkdtempSync(join(app, `${name}-`));
  cpSync(join(root, "examples", name), folder, { recursive: true });
  symlinkSync(join(app, "node_modules"), join(folder, "node_modules"), "junction");
  return folder;
}

/** The story on the page, when it is done. @throws the page's error */
async function story(url: string): Promise<string> {
  const page = await chromium.context.newPage();
  const failed = new Promise<never>((_, reject) => page.on("pageerror", reject));
  await page.goto(url);
  await Promise.race([page.waitForSelector("#story[data-done]", { timeout: 100_000 }), failed]);
  const text = await page.textContent("#story");
  await page.close();
  return text ?? "";
}

async function storyOfFolder(folder: string): Promise<string> {
  const site = await serveFolder(folder);
  try {
    return await story(site.url);
  } finally {
    await site.close();
  }
}

// This Chromium has a software driver only, so the CPU computes.
test("a plain page: the embedded model, and at most 102 kB of code before a first answer of the CPU", async () => {
  const folder = copyExample("plain-html");
  const scripts = new Set<string>();
  const site = await serveFolder(folder, ({ url = "" }) => {
    if (url.endsWith(".js")) scripts.add(url);
    return false;
  });
  const text = await story(site.url).finally(() => site.close());
  expect(text.length).toBeGreaterThan(40);
  expect(goldenStory().startsWith(text), text).toBe(true);
  const sizes = [...scripts].map((url) => gzipSync(readFileSync(join(folder, url)), { level: 9 }).length);
  expect(scripts.size).toBeGreaterThan(1);
  expect(
    sizes.reduce((a, b) => a + b),
    [...scripts].join(" "),
  ).toBeLessThanOrEqual(102_000);
});

test("a page that imports from another host: its worker, too, under the policy of the README", async () => {
  const host = await serveFolder(join(app, "node_modules", "sirocco"), (_, response) => {
    response.setHeader("access-control-allow-origin", "*");
    return false;
  });
  const origin = new URL(host.url).origin;
  const folder = mkdtempSync(join(app, "importing-"));
  const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval' ${origin}; worker-src blob: ${origin}; connect-src ${origin}`;
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}">
     <pre id="story"></pre><script type="module" src="./main.js"></script>`,
  );
  const main = readFileSync(join(root, "examples", "vite-app", "main.js"), "utf8");
  writeFileSync(
    join(folder, "main.js"),
    main
      .replace('"sirocco"', `"${host.url}dist/browser/sirocco.js"`)
      .replaceAll("loadModel", "loadModelInWorker"),
  );
  try {
    const text = await storyOfFolder(folder);
    expect(text.length).toBeGreaterThan(40);
    expect(goldenStory().startsWith(text), text).toBe(true);
  } finally {
    await host.close();
  }
});

test.each(["vite-app", "worker"])(
  "%s, built with Vite and served from a folder of any name",
  async (name) => {
    const folder = copyExample(name);
    const vite = join(root, "node_modules", "vite", "bin", "vite.js");
    const out = join(app, `${name}-site`, "a folder");
    mkdirSync(out, { recursive: true });
    await run(process.execPath, [vite, "build", "--base", "./", "--sourcemap", "--outDir", out], {
      cwd: folder,
    });
    const site = await serveFolder(join(app, `${name}-site`));
    const text = await story(`${site.url}a%20folder/`);
    await site.close();
    expect(text.length).toBeGreaterThan(40);
    expect(goldenStory().startsWith(text), text).toBe(true);
    expect(packagesIn(join(out, "assets"))).toEqual([]);
  },
);

test("a Vite app as it is developed", async () => {
  const server = await createServer({
    root: copyExample("vite-app"),
    server: { port: 0, host: "127.0.0.1", fs: { strict: false } },
    logLevel: "error",
  });
  await server.listen();
  const text = await story(server.resolvedUrls?.local[0] ?? "no address");
  await server.close();
  expect(goldenStory().startsWith(text), text).toBe(true);
});

/** The sources of a bundle, by its source maps. Expects none of the command line and of Node. */
function packagesIn(folder: string): string[] {
  const sources = readdirSync(folder)
    .filter((file) => file.endsWith(".map"))
    .flatMap((file) => JSON.parse(readFileSync(join(folder, file), "utf8")).sources as string[]);
  expect(sources.length).toBeGreaterThan(50);
  const names = sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []);
  return [...new Set(names)].filter((name) => name !== "sirocco").sort();
}

test("a bundle that uses one error class holds nothing else", async () => {
  const program = join(app, "little.js");
  writeFileSync(
    program,
    `import { ContextLengthError } from "sirocco"; console.log(ContextLengthError.name);`,
  );
  const built = await build({
    root: app,
    logLevel: "error",
    build: { write: false, rolldownOptions: { input: program } },
  });
  const [chunk] = "output" in built ? built.output : [];
  const code = chunk?.type === "chunk" ? chunk.code : "";
  expect(code).toContain("ContextLengthError");
  expect(code.length).toBeLessThan(500);
});
