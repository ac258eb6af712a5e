// The chat page that `sirocco serve` has at "/".
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fakeModel } from "../fake-model.ts";
import { HELLO, serving } from "./serving.ts";

const CHAT = "/v1/chat/completions";
const HTML = { Accept: "text/html,*/*" };

const withPage = async (name = "paper") => {
  const root = mkdtempSync(join(tmpdir(), "sirocco-page-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const [page, weights] = [join(root, "page"), join(root, "weights")];
  mkdirSync(join(page, "assets"), { recursive: true });
  mkdirSync(weights);
  writeFileSync(join(page, "index.html"), "<html><head><title>Chat</title></head></html>");
  writeFileSync(join(page, "assets", "index-12345678.js"), "start()");
  writeFileSync(join(weights, "model-00001-of-00002.safetensors"), "0123456789");
  writeFileSync(join(root, "secret.js"), "secret");
  return serving(fakeModel().model, { name, page: { page, weights } });
};

test("a browser gets the page, and curl the list of routes", async () => {
  const { get } = await withPage('pa"per <x>$&');
  const page = await get("/", HTML);
  expect(page.headers.get("Content-Type")).toContain("text/html");
  expect(page.headers.get("X-Frame-Options")).toBe("DENY");
  // So that threads may share memory.
  expect(page.headers.get("Cross-Origin-Opener-Policy")).toBe("same-origin");
  expect(page.headers.get("Cross-Origin-Embedder-Policy")).toBe("require-corp");
  expect(await page.text()).toBe(
    '<html><head><title>Chat</title><meta name="sirocco-server" content="pa&quot;per &lt;x&gt;$&amp;" /></head></html>',
  );
  expect(await (await get("/", { Accept: "*/*" })).json()).toMatchObject({ server: "sirocco" });
});

test("its files are kept by the browser, the tiny model's weights come from the package, and nothing else does", async () => {
  const { get } = await withPage();
  const script = await get("/assets/index-12345678.js");
  expect([await script.text(), script.headers.get("Content-Type")]).toEqual([
    "start()",
    expect.stringContaining("javascript"),
  ]);
  expect(script.headers.get("Cache-Control")).toContain("immutable");
  const weights = await get("/assets/model-00001-of-00002-Ab_-5678.safetensors", { Range: "bytes=2-4" });
  expect([weights.status, await weights.text()]).toEqual([206, "234"]);
  for (const path of [
    "/assets/%2e%2e/%2e%2e/secret.js",
    "/assets/..%2f..%2fsecret.js",
    "/secret.js",
    "/assets/",
  ])
    expect([path, (await get(path)).status]).toEqual([path, 404]);
});

let port: number;
const statusFrom = (origin: string, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json", Origin: origin, Host: host };
    const options = { host: "127.0.0.1", port, path: CHAT, method: "POST", headers };
    request(options, (response) => resolve(response.resume().statusCode))
      .on("error", reject)
      .end(JSON.stringify(HELLO));
  });

test("the page may call its own server, and no page of another origin or of a name that points here", async () => {
  port = (await withPage()).port;
  const own = ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000", "https://192.168.1.9"];
  for (const origin of own)
    expect([origin, await statusFrom(origin, new URL(origin).host)]).toEqual([origin, 200]);
  const others = [
    ["http://127.0.0.1:8001", "127.0.0.1:8000"],
    ["http://evil.example:8000", "127.0.0.1:8000"],
    // A name that its owner points to this machine.
    ["http://evil.example:8000", "evil.example:8000"],
    ["http://localhost.evil.example", "localhost.evil.example"],
    ["null", "127.0.0.1:8000"],
  ] as const;
  for (const [origin, host] of others)
    expect([origin, host, await statusFrom(origin, host)]).toEqual([origin, host, 403]);
});

test("a server without the page refuses its own origin, and lists the routes", async () => {
  const server = await serving(fakeModel().model);
  port = server.port;
  expect(await statusFrom("http://127.0.0.1:8000", "127.0.0.1:8000")).toBe(403);
  expect(await (await server.get("/", HTML)).json()).toMatchObject({ server: "sirocco" });
});
