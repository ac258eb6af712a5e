// Common mistakes of clients: wrong routes and methods, compressed bodies, bodies that are not JSON. The
// error says what to do.
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { findSlip } from "../../server/json-slip.ts";
import { fakeModel } from "../fake-model.ts";
import { HELLO, serving } from "./serving.ts";

const CHAT = "/v1/chat/completions";

describe("routes", () => {
  test("unknown ones: the error names the right one", async () => {
    const { post, get, url } = await serving(fakeModel().model);
    const cases: [path: string, says: string | RegExp][] = [
      ["/v1/responses", /chat\/completions: client\.chat\.completions\.create/],
      ["/v1/messages", /no Anthropic API.*chat\/completions/],
      ["/api/chat", /no Ollama API.*chat\/completions/],
      ["/api/generate", /no Ollama API/],
      ["/v1/images/generations", /continues texts/],
      ["/v1/threads", /keeps nothing/],
      ["/openai/deployments/gpt/chat/completions?api-version=1", "Use POST /v1/chat/completions."],
      ["/chat/completions", "Use POST /v1/chat/completions."],
      ["/v1/v1/chat/completions", "Use POST /v1/chat/completions."],
      ["/v1/chat/completions/", "Use POST /v1/chat/completions."],
      ["//v1//chat/completions", "Use POST /v1/chat/completions."],
      ["/V1/Chat/Completions", "Use POST /v1/chat/completions."],
      ["/api/v1/chat/completions", "Use POST /v1/chat/completions."],
      ["/v1/chat/completions/chat/completions", "Use POST /v1/chat/completions."],
      ["/completions", "Use POST /v1/completions."],
      ["/completion", "Use POST /v1/completions."],
      ["/v1/chat", /Use POST \/v1\/chat\/completions or/],
      ["/v1/health", "Use GET /health."],
      ["/v1/models/", "Use GET /v1/models."],
      ["/models", "Use GET /v1/models."],
      ["/nowhere", "GET / lists the routes."],
      [`/${"x".repeat(5000)}`, "GET / lists the routes."],
      ["/v1/constructor", "GET / lists the routes."],
    ];
    for (const [path, says] of cases) {
      const answer = await fetch(url + path, { method: "POST", body: "{}" });
      const { error } = (await answer.json()) as { error: { message: string; code: string } };
      expect([path, answer.status, error.code]).toEqual([path, 404, "unknown_url"]);
      if (typeof says === "string")
        expect(error.message.endsWith(` ${says}`), `${path}: ${error.message}`).toBe(true);
      else expect(error.message, path).toMatch(says);
      expect(error.message.length).toBeLessThan(350);
    }
    const wrong = await post("/client/v4/nowhere", {});
    expect([wrong.status, await wrong.json()]).toMatchObject([404, { errors: [{ code: 7000 }] }]);
    expect((await get("/chat/completions")).status).toBe(404);
  });

  test("with another method: 405, and Allow", async () => {
    const { url, get } = await serving(fakeModel().model);
    const cases: [method: string, path: string, allow: string][] = [
      ["GET", CHAT, "POST"],
      ["GET", "/v1/completions", "POST"],
      ["PUT", CHAT, "POST"],
      ["DELETE", "/v1/models/paper", "GET, HEAD"],
      ["POST", "/v1/models", "GET, HEAD"],
      ["POST", "/health", "GET, HEAD"],
      ["GET", "/client/v4/accounts/a/ai/run/paper", "POST"],
    ];
    for (const [method, path, allow] of cases) {
      const answer = await fetch(url + path, { method });
      expect([path, answer.status, answer.headers.get("Allow")]).toEqual([path, 405, allow]);
      expect(JSON.stringify(await answer.json())).toContain("expected");
    }
    const head = await fetch(url + CHAT, { method: "HEAD" });
    expect([head.status, head.headers.get("Allow")]).toEqual([405, "POST"]);
    const options = await fetch(url + CHAT, { method: "OPTIONS" });
    expect([options.status, options.headers.get("Allow")]).toEqual([204, "POST"]);
    const first = await get("/");
    expect(await first.json()).toMatchObject({
      server: "sirocco",
      model: "paper",
      routes: expect.arrayContaining([`POST ${CHAT}`, "GET /ready"]),
    });
  });
});

describe("compressed bodies", () => {
  const pack = { gzip: gzipSync, "x-gzip": gzipSync, deflate: deflateSync, br: brotliCompressSync };
  const send = (post: Awaited<ReturnType<typeof serving>>["post"], coding: string, body: Uint8Array) =>
    post(CHAT, body, { headers: { "Content-Encoding": coding } });

  test("are decompressed", async () => {
    const { post, log } = await serving(fakeModel().model);
    const text = JSON.stringify(HELLO);
    for (const [coding, packed] of Object.entries(pack))
      expect([coding, (await send(post, coding, packed(text))).status]).toEqual([coding, 200]);
    expect((await send(post, "DEFLATE", deflateRawSync(text))).status).toBe(200);
    expect((await send(post, "identity", Buffer.from(text))).status).toBe(200);
    expect(log.length).toBeGreaterThan(0);
  });

  test("are bounded like other bodies, and refused if damaged or of an unknown encoding", async () => {
    const { post, service } = await serving(fakeModel().model);
    // 64 MB of blanks in 64 kB, or in 60 bytes.
    const blanks = Buffer.alloc(64 * 2 ** 20, " ");
    for (const [coding, packed] of Object.entries(pack)) {
      const bomb = packed(blanks);
      expect(bomb.length).toBeLessThan(service.limits.bodyBytes);
      const answer = await send(post, coding, bomb);
      expect([coding, answer.status, (await answer.json()).error.code]).toEqual([
        coding,
        413,
        "body_too_large",
      ]);
    }
    const whole = gzipSync(JSON.stringify(HELLO));
    for (const damaged of [whole.subarray(0, -9), Buffer.from("{}"), Buffer.alloc(0)])
      expect((await send(post, "gzip", damaged)).status).toBe(400);
    for (const coding of ["zstd", "gzip, gzip", "compress", "constructor", "x".repeat(1000)]) {
      const answer = await send(post, coding, whole);
      expect([coding, answer.status, answer.headers.get("Accept-Encoding")]).toEqual([
        coding,
        415,
        "gzip, deflate, br",
      ]);
      expect((await answer.json()).error.message.length).toBeLessThan(200);
    }
    const unsaid = await post(CHAT, whole);
    expect([unsaid.status, (await unsaid.json()).error.message]).toEqual([
      400,
      expect.stringContaining("Content-Encoding: gzip"),
    ]);
  });
});

test("a body that is no JSON object: the error says what it is, or where the mistake is", async () => {
  const { post } = await serving(fakeModel().model);
  const utf16 = Buffer.from(`\ufeff${JSON.stringify(HELLO)}`, "utf16le");
  const cases: [body: string | Uint8Array, says: RegExp, type?: string][] = [
    ["", /got an empty body\. Send JSON/],
    [" \n", /got an empty body/],
    ["[]", /expected a JSON object such as .*, got a list/],
    ['"x"', /got a text/],
    ["null", /got null/],
    ["7", /got a number/],
    ["prompt=Hi&max_tokens=3", /fields of a form/, "application/x-www-form-urlencoded"],
    ["--x\r\nContent-Disposition: form-data", /form in parts/, "multipart/form-data; boundary=x"],
    ["<html>", /HTML or XML/],
    ['{"messages": [],\n "n": 1,\n}', /line 3, column 1: expected a name in double quotes, got '}'/],
    ["{'messages': []}", /line 1, column 2: expected a name in double quotes, got a single quote/],
    ['{"stream": True}', /column 12: expected a value: .* got 'T'/],
    ['{"n": NaN}', /got 'N'/],
    ['{"n": 01}', /column 7: expected a value/],
    ['{"prompt": "one\ntwo"}', /line 1, column 16: expected \\n.* got a line's end/],
    ['{"prompt": "C:\\dir"}', /column 15: expected an escape/],
    ['{"prompt": "Hi"', /column 16: expected "," or "}", got the end/],
    ['{"prompt": "Hi', /closing ", got the end/],
    ['{"prompt" "Hi"}', /expected ":"/],
    ["{“prompt”: 1}", /a curly quote/],
    ["{} {}", /column 4: expected the end/],
    ['{"key": "secret-secret" x}', /column 25: expected "," or "}", got 'x'\.$/],
    [utf16, /UTF-16\. Send UTF-8/],
    [Buffer.concat([Buffer.from('{"prompt":"é'), Uint8Array.of(0xff), Buffer.from('"}')]), /at offset 13/],
  ];
  for (const [body, says, type = "application/json"] of cases) {
    const answer = await post(CHAT, body, { headers: { "Content-Type": type } });
    const { error } = await answer.json();
    expect([answer.status, String(body)]).toEqual([400, String(body)]);
    expect(error.message, String(body)).toMatch(says);
    expect(error.message).not.toContain("secret");
    expect(error.message.length).toBeLessThan(250);
  }
  // curl -d sends the content type of a form.
  const curl = { headers: { "Content-Type": "application/x-www-form-urlencoded" } };
  expect((await post(CHAT, JSON.stringify(HELLO), curl)).status).toBe(200);
  expect((await post(CHAT, `\ufeff${JSON.stringify(HELLO)}`)).status).toBe(200);
});

test("a mistake is found exactly in texts that JSON.parse refuses", () => {
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    '"',
    ":",
    ",",
    "1",
    "-",
    ".",
    "e",
    "null",
    "\\",
    "u00e9",
    " ",
    "\n",
    "true",
    "x",
  ];
  let state = 1;
  const next = () => (state = (state * 48271) % 2147483647);
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: 1 + (next() % 8) }, () => pieces[next() % pieces.length]).join("");
    let parsed = true;
    try {
      JSON.parse(text);
    } catch {
      parsed = false;
    }
    expect([text, findSlip(text) === undefined]).toEqual([text, parsed]);
  }
});
