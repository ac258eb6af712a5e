// nginx with deploy/nginx/nginx.conf in front of replicas that are killed, full, draining.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { findNginx } from "../../scripts/nginx.mjs";
import { type Nginx, type Replica, startNginx, startReplica } from "./proxy.ts";

const nginx = findNginx();
let replicas: Replica[] = [];
let proxy: Nginx;

/** Without nginx `npm test` skips these tests and says so; CI fails. */
const skipped = "why" in nginx && process.env["SIROCCO_NGINX"] !== "required";

async function start(count = 2): Promise<void> {
  replicas = await Promise.all(Array.from({ length: count }, (_, i) => startReplica(`r${i}`)));
  proxy = await startNginx(replicas);
}

const ask = (
  body: object,
  { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
) =>
  fetch(`${proxy.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });

/** Status and replica of a short answer. */
async function quick(headers: Record<string, string> = {}): Promise<string> {
  const response = await ask({}, { headers });
  await response.text();
  return `${response.status} ${response.headers.get("X-Replica")}`;
}

const times = <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => make(i)));

const find = (name: string): Replica => replicas.find((each) => each.name === name)!;

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Waits until all replicas together have begun, or hold, this many answers. */
async function all(kind: "taken" | "held", count: number): Promise<void> {
  await until(async () => {
    const counts = await Promise.all(replicas.map((each) => each.set("counts")));
    return counts.reduce((sum, each) => sum + each[kind], 0) === count;
  });
}

describe.skipIf(skipped)("nginx before two replicas", { timeout: 60_000 }, () => {
  beforeAll(() => {
    if ("why" in nginx) throw new Error(`nginx: ${nginx.why}`);
  });
  afterEach(async () => {
    await proxy?.close();
    await Promise.all(replicas.map((each) => each.kill()));
  });

  it("passes each event on as it comes", async () => {
    await start();
    const response = await ask({ events: 4, hold: true });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes('"i":1')) text += (await reader.read()).value;
    // The replica continues only now.
    await find(response.headers.get("X-Replica")!).set("release");
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    expect(text).toContain("[DONE]");
  });

  it("slows a replica's stream down to its reader, and keeps none of it", async () => {
    await start();
    const leave = new AbortController();
    const events = 1024;
    const response = await ask({ events, size: 2 ** 16 }, { signal: leave.signal });
    const replica = find(response.headers.get("X-Replica")!);
    const sent: number[] = [];
    // The client does not read: socket buffers fill up, then nothing moves.
    await until(async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      sent.unshift((await replica.set("counts")).bytes);
      return sent[0] === sent[2];
    });
    expect(sent[0]).toBeLessThan((events / 2) * 2 ** 16);
    leave.abort();
  });

  it("gives a request to the replica that has the fewest", async () => {
    await start();
    let ended = 0;
    const answers = times(8, async () => {
      await (await ask({ hold: true })).text();
      ended++;
    });
    await all("held", 8);
    const [first, second] = await Promise.all([find("r0").set("counts"), find("r1").set("release")]);
    expect([first.taken, second.taken]).toEqual([4, 4]);
    // nginx counts an answer as finished shortly after its reader has it.
    await until(async () => ended === 4);
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (let i = 0; i < 4; i++) expect(await quick()).toBe("200 r1");
    await find("r0").set("release");
    await answers;
  });

  it("keeps a conversation on one replica, and spreads conversations over both", async () => {
    await start();
    const ids = Array.from({ length: 12 }, (_, i) => `conversation-${i}`);
    const turns = await Promise.all(ids.map((id) => times(4, () => quick({ "X-Conversation-Id": id }))));
    expect(turns.filter((answers) => new Set(answers).size > 1)).toEqual([]);
    expect(new Set(turns.flat())).toEqual(new Set(["200 r0", "200 r1"]));
  });

  it("loses no stream of one replica when the other is killed under load, and goes on with what is new", async () => {
    await start();
    const streams = times(40, async (i) => {
      const headers: Record<string, string> = i % 2 === 0 ? {} : { "X-Conversation-Id": `c${i}` };
      const response = await ask({ events: 30, everyMs: 40 }, { headers });
      const replica = response.headers.get("X-Replica");
      const text = await response.text().catch(() => "cut");
      return { replica, events: text.split("data: ").length - 1, text };
    });
    await all("taken", 40);
    const ended = { yes: false };
    const newcomers = times(4, async () => {
      const answers: string[] = [];
      while (!ended.yes) answers.push(await quick());
      return answers;
    });
    await find("r0").kill();
    const results = await streams;
    ended.yes = true;
    const survivors = results.filter(({ replica }) => replica === "r1");
    expect(survivors.length).toBeGreaterThanOrEqual(10);
    expect(survivors.filter(({ events }) => events !== 31)).toEqual([]);
    const cut = results.filter(({ replica }) => replica === "r0");
    expect(cut.length).toBeGreaterThanOrEqual(10);
    expect(cut.filter(({ text }) => text.includes("[DONE]"))).toEqual([]);
    const statuses = (await newcomers).flat();
    expect(statuses.length).toBeGreaterThanOrEqual(4);
    expect(statuses.filter((answer) => answer !== "200 r1" && answer !== "200 r0")).toEqual([]);
    // Requests that the dead replica had are lost, and nginx has marked it as down.
    expect(new Set(await times(20, () => quick()))).toEqual(new Set(["200 r1"]));
  });

  it("asks another replica where one was killed before it said anything", async () => {
    await start();
    const answers = times(6, async () => (await ask({ hold: true })).text());
    await all("held", 6);
    await find("r0").kill();
    await until(async () => (await find("r1").set("release")).taken === 6);
    await find("r1").set("release");
    expect(await answers).toEqual(Array(6).fill('{"replica":"r1"}'));
  });

  it("does not take a request that brings replicas down round all of them", async () => {
    await start(5);
    const response = await ask({ die: true });
    expect(response.status).toBe(502);
    expect(new Set(await times(20, () => quick()))).toEqual(new Set(["200 r3", "200 r4"]));
  });

  it("sends nothing new to a replica that drains, which ends what it has", async () => {
    await start();
    const answers = times(3, () => ask({ events: 3, hold: true }));
    await all("held", 3);
    // One replica has two of them: nginx would choose the other.
    const [draining, other] = (await find("r0").set("counts")).held === 1 ? replicas : replicas.toReversed();
    const { asked } = await draining!.set("draining");
    for (let i = 0; i < 10; i++) expect(await quick()).toBe(`200 ${other!.name}`);
    // It gets one request until it is marked, or two if two nginx processes send one at the same time.
    const { asked: later } = await draining!.set("release");
    expect(later - asked).toBeGreaterThanOrEqual(1);
    expect(later - asked).toBeLessThanOrEqual(2);
    await other!.set("release");
    for (const response of await answers) expect(await response.text()).toContain("[DONE]");
  });

  it("passes over a full replica, and says 429 only where all are full", async () => {
    await start();
    await find("r0").set("full");
    for (let i = 0; i < 10; i++) expect(await quick()).toBe("200 r1");
    await find("r1").set("full");
    for (let i = 0; i < 10; i++) {
      const response = await ask({});
      expect(response.status).toBe(429);
      expect(response.headers.get("Retry-After")).toBe("7");
      expect(await response.json()).toMatchObject({ error: { code: "queue_full" } });
    }
    // A full replica is not marked as down.
    await find("r0").set("ready");
    for (let i = 0; i < 10; i++) expect(await quick({ "X-Conversation-Id": `c${i}` })).toBe("200 r0");
  });

  it("is ready while one replica is, and forgets that the other was not", async () => {
    await start();
    const ready = async () => (await fetch(`${proxy.url}/ready`)).status;
    await find("r0").set("draining");
    expect(await times(10, ready)).toEqual(Array(10).fill(200));
    await find("r1").set("draining");
    expect(await times(10, ready)).toEqual(Array(10).fill(503));
    await find("r0").set("ready");
    await find("r1").set("ready");
    expect(new Set(await times(8, () => quick()))).toEqual(new Set(["200 r0", "200 r1"]));
  });

  it("tells the replica when a client has gone", async () => {
    await start();
    const leave = new AbortController();
    const response = await ask({ events: 1000, everyMs: 20 }, { signal: leave.signal });
    const replica = find(response.headers.get("X-Replica")!);
    leave.abort();
    await until(async () => (await replica.set("counts")).gone === 1);
  });

  it("answers in the API's shape where no replica does", async () => {
    await start();
    await Promise.all(replicas.map((each) => each.kill()));
    for (let i = 0; i < 5; i++) {
      const response = await ask({});
      expect(response.status).toBe(502);
      expect(response.headers.get("Retry-After")).toBe("5");
      expect(await response.json()).toMatchObject({ error: { type: "server_error" } });
    }
    const path = "/client/v4/accounts/a/ai/run/@cf/mistral/mistral-7b-instruct-v0.1";
    const response = await fetch(`${proxy.url}${path}`, { method: "POST", body: "{}" });
    expect(await response.json()).toMatchObject({ success: false, errors: [{ code: 3040 }] });
  });

  it("bounds bodies, and keeps what is below the bound off the disk", async () => {
    await start();
    const text = "x".repeat(4 * 2 ** 20 - 100);
    expect((await ask({ text })).status).toBe(200);
    const response = await ask({ text: text + text });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    expect(await proxy.log("error.log")).not.toContain("temporary file");
  });

  it("shows figures to nobody, and logs neither prompts nor query nor keys", async () => {
    await start();
    for (const path of [
      "/metrics",
      "/%6detrics",
      "//metrics",
      "/v1/../metrics",
      "/v1/x/%2e%2e/%2e%2e/metrics",
      "/v1/..\\metrics",
    ]) {
      const text = await raw(path);
      expect(text, path).toMatch(/^HTTP\/1.1 4/);
      expect(text, path).not.toContain("secret figures");
    }
    await ask({ prompt: "whisper" }, { headers: { Authorization: "Bearer hush", "X-Request-Id": "my-id" } });
    await fetch(`${proxy.url}/v1/models?key=hush`);
    const log = await proxy.log("sirocco.log");
    expect(log).not.toMatch(/whisper|hush/);
    const lines = log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(
      expect.objectContaining({ id: "my-id", status: 200, path: "/v1/chat/completions" }),
    );
  });

  it("comes back to a replica that was started again", async () => {
    await start();
    const [first] = replicas;
    await first!.kill();
    for (let i = 0; i < 4; i++) expect(await quick()).toBe("200 r1");
    replicas[0] = await startReplica("r0", first!.port);
    await until(async () => (await quick()) === "200 r0");
  });
});

/** The answer for a path that `fetch` would normalise. */
async function raw(path: string): Promise<string> {
  const { connect } = await import("node:net");
  const { port } = new URL(proxy.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += chunk;
  return text;
}
