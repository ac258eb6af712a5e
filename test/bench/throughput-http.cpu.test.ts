// `sirocco bench throughput --url` against a server with a known pace, and servers that fail.
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { compare } from "../../bench/compare.ts";
import { eventData } from "../../bench/events.ts";
import { retrySeconds } from "../../bench/refusals.ts";
import { parseReport, type Report } from "../../bench/result.ts";
import { percentile } from "../../eval/statistics.ts";
import { Session, type Setting, sirocco } from "../cli/fakes.ts";
import { serve } from "../weights/loopback.ts";
import { event, type PacedServer, pacedServer, piece, promptOf, sendJson } from "./paced-server.ts";

let server: PacedServer;
afterEach(() => server?.close());

const bench = (options = "", setting: Setting = {}) =>
  sirocco(`bench throughput --url ${server.url} --seconds 0 ${options}`.trim().split(" "), setting);

const measured = async (options: string) => {
  const { stdout, stderr, code } = await bench(`${options} --json -`);
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  const report: Report = JSON.parse(stdout);
  const find = (name: string, streams: number) =>
    report.results.find((result) => result.name === name && result.params["streams"] === streams)?.median;
  return { report, find };
};

describe("figures", () => {
  test("are those of the server's pace, and its gain by streams", async () => {
    server = await pacedServer({ first: 60, between: 15 });
    const { report, find } = await measured("--streams 1,4 --requests 8 --answer-tokens 5");
    // 60 ms and four times 15 ms: at most 8.3 answers a second in one stream. Timers may be late, so on a
    // busy machine rates have no lower bound.
    for (const [streams, most] of [
      [1, 8.4],
      [4, 33.6],
    ] as const) {
      expect(find("requestsPerSecond", streams)).toBeLessThan(most);
      expect(find("tokensPerSecond", streams)).toBeCloseTo(5 * find("requestsPerSecond", streams)!);
      expect(find("firstTokenP50", streams)).toBeGreaterThan(58);
      expect(find("firstTokenP95", streams)).toBeGreaterThanOrEqual(find("firstTokenP50", streams)!);
      expect(find("betweenTokensP50", streams)).toBeGreaterThan(8);
      expect(find("betweenTokensP95", streams)).toBeGreaterThanOrEqual(find("betweenTokensP50", streams)!);
    }
    expect(find("batchGain", 1)).toBe(1);
    expect(find("batchGain", 4)).toBe(find("tokensPerSecond", 4)! / find("tokensPerSecond", 1)!);
    expect(find("batchGain", 4)).toBeGreaterThan(1);
    expect(server.most).toBe(4);
    expect(report.server).toEqual({ url: server.url, model: "paper", endpoint: "/v1/completions" });
    // A warm-up of one request a stream, four before the first run; then the measured requests.
    expect(server.asked).toHaveLength(4 + 8 + 4 + 8);
  });

  test("prompts are of mixed length, none begins like another, and all are the same the next time", async () => {
    server = await pacedServer();
    await measured("--streams 1,2 --requests 40 --prompt-tokens 20 --answer-tokens 1");
    const prompts = server.asked.map(promptOf);
    const lengths = prompts.map((prompt) => prompt.split(" ").length);
    expect(Math.min(...lengths)).toBeLessThan(14);
    expect(Math.max(...lengths)).toBeGreaterThan(26);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(30);
    expect(new Set(prompts.map((prompt) => prompt.split(" ", 1)[0])).size).toBe(prompts.length);
    server.asked.length = 0;
    await measured("--streams 1,2 --requests 40 --prompt-tokens 20 --answer-tokens 1");
    expect(new Set(server.asked.map(promptOf))).toEqual(new Set(prompts));
  });

  test("only standard fields are asked for; the key and the name are handed on", async () => {
    server = await pacedServer();
    const argv = "--streams 1 --requests 1 --answer-tokens 2 -m some/name --api-key k1";
    const { report } = await measured(argv);
    expect(server.asked[0]).toEqual({
      ...{ model: "some/name", prompt: promptOf(server.asked[0]!), max_tokens: 2, temperature: 0 },
      ...{ stream: true, stream_options: { include_usage: true } },
    });
    expect(new Set(server.keys)).toEqual(new Set(["Bearer k1"]));
    expect(JSON.stringify(report)).not.toContain("k1");
    expect(report.notes.join()).toMatch(/^throughput: prompts of \d+ to \d+ tokens, mean [\d.]+$/);
    await bench("--streams 1 --requests 1", { env: { SIROCCO_API_KEY: "k2" } });
    expect(server.keys.at(-1)).toBe("Bearer k2");
  });

  test("--chat asks for a chat", async () => {
    server = await pacedServer();
    const { find, report } = await measured("--chat --streams 2 --answer-tokens 3");
    expect(server.asked[0]).toMatchObject({ messages: [{ role: "user" }] });
    expect(report.server?.endpoint).toBe("/v1/chat/completions");
    expect(find("tokensPerSecond", 2)).toBeCloseTo(3 * find("requestsPerSecond", 2)!);
    // No single stream to compare with.
    expect(find("batchGain", 2)).toBeUndefined();
  });

  test("a server without usage, or one that refuses to be asked for it: pieces are counted, and it is told", async () => {
    server = await pacedServer(undefined, (_, response, body) => {
      if (!body?.stream_options) return false;
      sendJson(response, 400, { error: { message: "unknown field stream_options" } });
      return true;
    });
    const { find, report } = await measured("--streams 1 --requests 4 --answer-tokens 3");
    expect(find("tokensPerSecond", 1)).toBeCloseTo(3 * find("requestsPerSecond", 1)!);
    expect(report.notes).toEqual([
      "throughput: the server gave no usage for 8 answers: their pieces were counted as tokens",
    ]);
    // Sent and refused once, not with every request.
    expect(server.asked).toHaveLength(1 + 4 + 4);
  });

  test("answers that end early are told", async () => {
    server = await pacedServer(undefined, (_, response, body) => {
      if (!body) return false;
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(event({ choices: [{ text: "a", finish_reason: "stop" }] }));
      response.end(event({ choices: [], usage: { prompt_tokens: 4, completion_tokens: 1 } }));
      return true;
    });
    const { report } = await measured("--streams 1 --requests 2 --answer-tokens 9");
    expect(report.notes).toEqual([
      "throughput: prompts of 4 to 4 tokens, mean 4.0",
      "throughput: 2 of 2 answers ended before 9 tokens; mean of all 1.0",
    ]);
    expect(report.results.map(({ name }) => name)).not.toContain("betweenTokensP50");
  });

  test("429 is waited for as long as the server says", async () => {
    let refuse = 2;
    server = await pacedServer(undefined, (_, response, body) => {
      if (!body || refuse-- <= 0) return false;
      response.writeHead(429, { "retry-after": refuse === 1 ? "1" : "0" }).end("{}");
      return true;
    });
    const began = performance.now();
    const { report } = await measured("--streams 1 --requests 1");
    expect(performance.now() - began).toBeGreaterThan(990);
    expect(report.notes.at(-1)).toMatch(/^throughput: 2 requests were refused and repeated, after 1\.0 s/);
  });

  test("as a table, a page and a file that compares", async () => {
    server = await pacedServer();
    const folder = mkdtempSync(join(tmpdir(), "sirocco-"));
    const [json, html] = [join(folder, "a.json"), join(folder, "a.html")];
    const { stdout } = await bench(`--streams 1,2 --requests 2 --json ${json} --html ${html}`);
    expect(stdout).toMatch(
      /^server {4}http:\S+\/v1\/completions\nmodel {5}paper\nruns .*\nsirocco .*\n\nthroughput\nstreams +requests +promptTokens +answerTokens +requests\/s +tokens\/s +batch gain +first p50 ms +first p95 ms +between p50 ms +between p95 ms\n +1 +2 +64 +32 /,
    );
    const report = parseReport(readFileSync(json, "utf8"), json);
    expect(report.results).toHaveLength(14);
    expect(compare(report, report, 0)).toMatchObject({ common: 14, changes: [], differences: [] });
    const page = readFileSync(html, "utf8");
    expect(page.match(/<svg /g)).toHaveLength(2);
    expect(page).not.toMatch(/NaN|undefined/);
  });
});

test("shows where it is, and Ctrl-C ends it with what was measured, and ends the answers", async () => {
  let held = 0;
  server = await pacedServer(undefined, (_, response, body) => {
    // After the first number of streams, answers never end.
    if (!body || server.asked.length <= 4 + 3) return false;
    held++;
    response.on("close", () => held--);
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": wait\n\n");
    return true;
  });
  const argv = `bench throughput --url ${server.url} --seconds 0 --streams 1,3 --requests 3`;
  const session = new Session(argv.split(" "), { stderrTerminal: true });
  await session.see("throughput: 3 streams, 0 of 3 requests", "stderr");
  await expect.poll(() => held).toBe(3);
  session.interrupt();
  expect(await session.exit).toBe(130);
  expect(session.stdout).toMatch(/\n +1 +3 +64 +32 .*\n\n(note: .*\n\n)?Interrupted/);
  expect(session.stdout).not.toMatch(/\n +3 +3 +64/);
  await expect.poll(() => held).toBe(0);
});

describe("a server that fails", () => {
  const fails = async (instead: Parameters<typeof pacedServer>[1], options = "") => {
    server = await pacedServer(undefined, (request, response, body) =>
      body ? (instead?.(request, response, body) ?? false) : false,
    );
    const { code, stdout, stderr } = await bench(`--streams 2 --requests 2 ${options}`.trim());
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    return stderr.replaceAll(server.url, "URL");
  };

  test("is not there", async () => {
    server = await pacedServer();
    await server.close();
    const { code, stderr } = await bench("--model m");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^sirocco: http:\S+\/v1\/completions: nobody answers \(.*ECONNREFUSED.*\)\. Start the server, or give its address with --url\.\n$/,
    );
  });

  test("wants another key", async () => {
    const stderr = await fails((_, response) => {
      sendJson(response, 401, { error: { message: "Incorrect API key." } });
      return true;
    });
    expect(stderr).toBe(
      "sirocco: URL/v1/completions: expected an answer, got 401: Incorrect API key. Give the server's key with --api-key or SIROCCO_API_KEY.\n",
    );
  });

  test("answers with a page", async () => {
    const stderr = await fails((_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>\n<p>Hi");
      return true;
    });
    expect(stderr).toBe(
      'sirocco: URL/v1/completions: expected a stream of events, got text/html: "<!doctype html> <p>Hi". Is it an OpenAI-compatible server?\n',
    );
  });

  test("lists a page in place of models", async () => {
    server = await pacedServer(undefined, (_, response) => {
      response.end("<p>Hi");
      return true;
    });
    expect((await bench()).stderr).toMatch(
      /\/v1\/models: expected a list of models as JSON, got "<p>Hi"\. Name/,
    );
  });

  test("ends a stream before its answer, by end or by a broken connection", async () => {
    const begin = (break_: boolean) =>
      fails((_, response, body) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(event({ choices: [{ ...piece(body!, "a"), finish_reason: null }] }));
        // The first bytes are sent before the connection breaks.
        setTimeout(() => (break_ ? response.destroy() : response.end()), 50);
        return true;
      });
    const cut = /got a stream that ended after 1 pieces/;
    expect(await begin(false)).toMatch(cut);
    await server.close();
    expect(await begin(true)).toMatch(cut);
  });

  test("says so in the stream, or sends what is no JSON", async () => {
    const sends = (data: string) =>
      fails((_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" }).end(`data: ${data}\n\n`);
        return true;
      });
    expect(await sends('{"error":{"message":"out of memory"}}')).toMatch(/got an error: .*out of memory/);
    await server.close();
    expect(await sends("{oops")).toMatch(/expected JSON in the stream, got "\{oops"/);
  });

  test("sends one line without end", async () => {
    const stderr = await fails((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${"a".repeat(1_100_000)}`);
      return true;
    });
    expect(stderr).toMatch(/expected lines of events, got one of over 1048576 characters/);
  });

  test("keeps what was measured before", async () => {
    server = await pacedServer(undefined, (_, response) => {
      if (server.asked.length <= 4 + 2) return false;
      sendJson(response, 500, { error: "broken" });
      return true;
    });
    const { code, stdout } = await bench("--streams 1,2 --requests 2");
    expect(code).toBe(1);
    expect(stdout).toMatch(/\n +1 +2 +64 +32 /);
    expect(stdout).toMatch(
      /note: throughput: .*expected an answer, got 500: broken\. See the server's log\./,
    );
  });
});

/** Sends one byte at a time. */
async function* bytewise(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (const byte of bytes) yield Uint8Array.of(byte);
}

test("a stream that is cut anywhere, even within a character, is the same stream", async () => {
  const stream = Buffer.from(
    [
      ": hello\n\n",
      `data: ${JSON.stringify({ choices: [{ text: "é🙂" }] })}\r\n\r\n`,
      `event: x\ndata:${JSON.stringify({ choices: [{ text: "b", finish_reason: "stop" }] })}\n\n`,
      `data: {"choices":[],\ndata: "usage":{"prompt_tokens":7,"completion_tokens":2}}\n\ndata: [DONE]\n\n`,
    ].join(""),
  );
  const data: string[] = [];
  for await (const each of eventData(bytewise(stream), "here")) data.push(each);
  expect(data).toEqual([
    '{"choices":[{"text":"é🙂"}]}',
    '{"choices":[{"text":"b","finish_reason":"stop"}]}',
    '{"choices":[],\n"usage":{"prompt_tokens":7,"completion_tokens":2}}',
    "[DONE]",
  ]);
  const { url, close } = await serve(async (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const byte of stream) {
      response.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    response.end();
  });
  const { stdout } = await sirocco(
    `bench throughput --url ${url}/v1/ -m m --streams 1 --requests 1 --seconds 0 --json -`.split(" "),
  );
  await close();
  const report: Report = JSON.parse(stdout);
  expect(report.server?.url).toBe(url);
  expect(report.notes[0]).toContain("prompts of 7 to 7 tokens");
  expect(report.notes[1]).toContain("mean of all 2.0");
});

test("percentile: by nearest rank", () => {
  const values = Array.from({ length: 20 }, (_, i) => 20 - i);
  expect([0.5, 0.95, 1].map((share) => percentile(values, share))).toEqual([10, 19, 20]);
  expect(percentile([3], 0.5)).toBe(3);
  expect(() => percentile([], 0.5)).toThrow(RangeError);
});

test("Retry-After: seconds or a date, a second without, never longer than a minute", () => {
  const now = Date.parse("2026-01-02T03:04:05Z");
  expect(retrySeconds("7", now)).toBe(7);
  expect(retrySeconds("Fri, 02 Jan 2026 03:04:08 GMT", now)).toBe(3);
  expect(retrySeconds("Fri, 02 Jan 2026 03:00:00 GMT", now)).toBe(0);
  expect(retrySeconds("3600", now)).toBe(60);
  expect([retrySeconds(null, now), retrySeconds("soon", now)]).toEqual([1, 1]);
});
