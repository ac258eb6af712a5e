// Values of `serve`'s options: each is normalised or refused before a model is loaded.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readApiKeys } from "../../cli/api-keys.ts";
import { host } from "../../cli/network.ts";
import { address, seed, topK } from "../../cli/parse.ts";
import { parseOrigin } from "../../server/origin.ts";
import { Session, sirocco } from "./fakes.ts";

const folder = mkdtempSync(join(tmpdir(), "sirocco-options-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["http://localhost:3000/", "http://localhost:3000"],
  ["HTTPS://App.Example:443", "https://app.example"],
  ["http://bücher.example", "http://xn--bcher-kva.example"],
  ["http://[::1]:5173", "http://[::1]:5173"],
  ["chrome-extension://abcdef", "chrome-extension://abcdef"],
  ["capacitor://localhost", "capacitor://localhost"],
  ["null", "null"],
  ["*", "*"],
])("the origin %s is what browsers send: %s", (given, sent) => {
  expect(parseOrigin(given)).toBe(sent);
});

test.each([
  ["localhost:5173", "as in http://localhost:5173,"],
  ["app.example", "as in http://app.example,"],
  ["https://app.example/chat?x=1", "as in https://app.example,"],
  ["http://a.example,http://b.example", "as in http://a.example,"],
  ["https://*.example.com", "as in http://localhost:5173,"],
  ["https://me:secret@app.example", ""],
  ["file:///home", ""],
  ["http://", ""],
  ["http://a b", ""],
  ["", ""],
  [" *", ""],
  ["data:text/html,x", ""],
  [`http://${"x".repeat(100_000)}/`, ""],
])("%#: an origin that no browser sends is refused with a suggestion", async (given, says) => {
  const { code, stderr, engine } = await sirocco(["serve", "--cors", given]);
  expect([code, engine.calls]).toEqual([2, []]);
  expect(stderr).toMatch(/^sirocco: --cors: expected an origin, as in http\S+, or \* for all, got "/);
  expect(stderr).toContain(says);
  expect(stderr.length).toBeLessThan(400);
});

test("hosts: addresses and names, without schemes and ports", () => {
  for (const [given, bound] of [
    ["127.0.0.1", "127.0.0.1"],
    ["[::1]", "::1"],
    ["LOCALHOST", "localhost"],
    ["my_host-1.example", "my_host-1.example"],
  ] as const)
    expect(host(given)).toBe(bound);
  for (const given of ["", " ", "127.1", "256.0.0.1", "a b", "-x", "x/y", "::g", "x".repeat(300), "a\0b"])
    expect(() => host(given), given).toThrow(/^--host: expected an address or a host's name, as in/);
  for (const given of ["http://localhost", "localhost:8000", "0.0.0.0:80"])
    expect(() => host(given), given).toThrow(/the port is --port's/);
});

test("addresses of servers: with or without /v1 and slashes", () => {
  for (const given of ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"])
    expect(address("--url")(given)).toBe("http://h:1");
  for (const given of ["h:1", "ftp://h", "http://h?x", "http://h#x", "http://h /"])
    expect(() => address("--url")(given), given).toThrow(/--url: expected an address/);
});

test("-1 means no seed and no top-k, as elsewhere; zero has no sign", () => {
  expect([seed("-1"), seed("7"), topK("-1"), topK("5")]).toEqual([expect.any(Number), 7, 0, 5]);
  expect(Object.is(seed("-0"), 0)).toBe(true);
});

test.each([
  [["--port", "0x50"], /--port: /],
  [["--port", "8e3"], /--port: /],
  [["--port", " 80"], /--port: /],
  [["--port", "-1"], /--port: /],
  [["--queue", "1e9"], /--queue: expected a whole number from 0 to 65536/],
  [["--drain", "1e9"], /--drain: expected a number from 0 to 86400/],
  [["--drain", "NaN"], /--drain: /],
  [["--alias", " "], /--alias: /],
  [["--alias", "a\nb"], /--alias: .*got "a\\nb"/],
  [["--alias", "x".repeat(5000)], /--alias: .{0,200}…"/],
  [["--slot-dir", ""], /--slot-dir: expected a folder/],
  [["--adapter-dir", ""], /--adapter-dir: expected a folder/],
  [["--api-key-file", ""], /--api-key-file: expected a file/],
])("%j is refused before anything is loaded", async (args, says) => {
  const { code, stderr, engine } = await sirocco(["serve", ...args]);
  expect([code, engine.calls]).toEqual([2, []]);
  expect(stderr).toMatch(says);
});

describe("keys", () => {
  const file = join(folder, "keys");
  const read = (bytes: string | Uint8Array, env = {}) => {
    writeFileSync(file, bytes);
    return readApiKeys({ apiKeyFile: file }, env);
  };

  test("a byte order mark, blank lines, line ends of all kinds, the same key twice", async () => {
    const keys = await read("\ufeffkey-a\r\n\r\n  key-b\t\rkey-a\n# key-c\n", { SIROCCO_API_KEY: "key-d\n" });
    expect(keys).toEqual(["key-d", "key-a", "key-b"]);
  });

  test("an invalid key is reported by its line, and never shown", async () => {
    await expect(read("good\nse cret # mine\n")).rejects.toThrow(
      /keys", line 2: expected a key of .*others in it$/,
    );
    await expect(read(Buffer.from("\ufeffkey", "utf16le"))).rejects.toThrow(/line 1: /);
    await expect(read(new Uint8Array(3 * 2 ** 20))).rejects.toThrow(/at most 1048576 bytes/);
    await expect(read("\n#\n \n")).rejects.toThrow(/got none/);
    await expect(readApiKeys({ apiKeyFile: folder }, {})).rejects.toThrow(/cannot be read/);
    await expect(readApiKeys({ apiKeyFile: "/dev/zero" }, {})).rejects.toThrow(/at most/);
    await expect(readApiKeys({}, { SIROCCO_API_KEY: " \n" })).rejects.toThrow(/SIROCCO_API_KEY: .*got none/);
  });
});

test("an unusable folder for slots is refused before a model is loaded", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  symlinkSync(join(folder, "loop"), join(folder, "loop"));
  for (const [given, says] of [
    [file, /A part of the path is a file/],
    [join(file, "below"), /A part of the path is a file/],
    [join(folder, "x".repeat(300)), /The name is too long/],
    [join(folder, "loop"), /lead in a circle/],
    // A file system that answers ENOENT even for a new folder.
    ["/proc/x", /cannot|no such file|denied/i],
    ["/proc/x/y", /cannot|no such file|denied/i],
  ] as const) {
    const { code, stderr, engine } = await sirocco(["serve", "--slot-dir", given]);
    expect([given, code, engine.called("loadModel").length]).toEqual([given, 1, 0]);
    expect(stderr).toMatch(/--slot-dir: expected a folder that can be written, got "/);
    expect(stderr).toMatch(says);
  }
  const { stderr } = await sirocco(["serve", "--adapter-dir", file]);
  expect(stderr).toMatch(/--adapter-dir: expected a folder that can be written, got ".*A part of the path/);
});

describe("the log", () => {
  /** Two requests to a server; the log's reader leaves between them. */
  const served = async (setting: ConstructorParameters<typeof Session>[1]) => {
    const session = new Session(["serve", "--port", "0"], setting);
    await session.see("waiting", "stderr");
    const url = /http:\/\/\S+/.exec(session.stderr)?.[0] ?? "";
    for (let i = 0; i < 3; i++) expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    return { session, url };
  };

  test.each([
    ["goes away", { breakAfter: 1 }],
    ["fills its disk", { stdoutError: Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }) }],
  ])("whose reader %s does not end the server", async (_, setting) => {
    const { session, url } = await served(setting);
    await session.see("The log cannot be written any more", "stderr");
    expect((await fetch(`${url}/health`)).status).toBe(200);
    session.interrupt();
    expect(await session.exit).toBe(0);
    expect(session.stderr.split("cannot be written").length).toBe(2);
    // Nothing runs.
    expect(session.stderr).not.toContain("Waiting for running answers");
  });

  test.each([
    ["a terminal gets short lines", { stdoutTerminal: true }, []],
    ["a pipe gets JSON", {}, []],
    ["--json gives JSON on a terminal, too", { stdoutTerminal: true }, ["--json"]],
  ])("%s, and no probes that went well", async (_, setting, args) => {
    const session = new Session(["serve", "--port", "0", ...args], setting);
    await session.see("waiting", "stderr");
    const url = /http:\/\/\S+/.exec(session.stderr)?.[0] ?? "";
    expect(session.stderr).toMatch(
      /^4\.23 GiB on Paper GPU: weights 3\.73 GiB as q4, cache 512 MiB as f16, /,
    );
    for (const path of ["/health", "/ready", "/metrics"]) expect((await fetch(url + path)).status).toBe(200);
    const body = JSON.stringify({ messages: [{ role: "user", content: "Hi" }] });
    const headers = { "Content-Type": "application/json" };
    await (await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body })).text();
    await session.see("completions");
    session.interrupt();
    await session.exit;
    const lines = session.stdout.trim().split("\n");
    const isShort = "stdoutTerminal" in setting && args.length === 0;
    expect(lines.length).toBe(args.length + 1);
    if (isShort)
      expect(lines[0]).toMatch(
        /^\d\d:\d\d:\d\d POST \/v1\/chat\/completions 200 \d+( \(\d+ cached\))? \+ \d+ tokens, first after [\d.]+ s, [\d.]+ s$/,
      );
    else expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ route: "/v1/chat/completions", status: 200 });
  });
});
