// Concurrent requests: the queue, its limit, clients that leave or read slowly, and shutdown.
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { failAt, fakeModel } from "../fake-model.ts";
import { expectNoUnhandledRejections } from "../helpers.ts";
import { eventsOf, gate, HELLO, serving, until } from "./serving.ts";

expectNoUnhandledRejections();

const CHAT = "/v1/chat/completions";
const STREAM = { ...HELLO, stream: true } as const;

describe("admission", () => {
  test("first come, first served; with a full queue requests are refused and the server is not ready", async () => {
    const shut = gate();
    const { model, calls, running } = fakeModel({ before: shut.wait });
    const { post, get, service } = await serving(model, { parallel: 2, queue: 1 });
    const ask = (content: string, more = {}) =>
      post(CHAT, { messages: [{ role: "user", content }], ...more });
    const taken = [ask("a"), ask("b")];
    await until(() => running() === 2, "two answers that run");
    taken.push(ask("c"));
    await until(() => service.admission.waiting === 1, "one that waits");
    const full = await ask("d");
    expect([full.status, full.headers.get("Retry-After")]).toEqual([429, "1"]);
    expect(await full.json()).toMatchObject({ error: { type: "rate_limit_error", code: "queue_full" } });
    const ready = await get("/ready");
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: "full", model: "paper", running: 2, waiting: 1, parallel: 2, queue: 1 },
    ]);
    expect((await get("/health")).status).toBe(200);
    const figures = await (await get("/metrics")).text();
    for (const line of ["queue_length 1", "running 2", "queue_capacity 1", "parallel 2"])
      expect(figures).toContain(`sirocco_${line}\n`);
    expect(figures).toContain('sirocco_adapter_info{name="Paper GPU",software="false"} 1\n');
    expect(calls.map(({ prompt }) => prompt).sort()).toEqual(["a", "b"]);
    shut.open();
    expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(calls[2]?.prompt).toBe("c");
    expect((await get("/ready")).status).toBe(200);
    // A request for several answers takes one place in the queue.
    const before = calls.length;
    expect((await ask("e", { n: 9 })).status).toBe(200);
    expect(calls.length - before).toBe(9);
    await until(() => service.lifecycles.size === 0, "the end of all");
    expect([service.admission.running, service.admission.waiting, running()]).toEqual([0, 0, 0]);
  });

  test("more prompts than places wait as one request, each is answered, and other requests get their turn", async () => {
    const shut = gate();
    const { model, calls, running } = fakeModel({ before: shut.wait });
    const { post, service } = await serving(model, { parallel: 2, queue: 2 });
    const prompts = Array.from({ length: 128 }, (_, i) => `prompt ${i}`);
    const many = post("/v1/completions", { prompt: prompts, echo: true, logprobs: 0, max_tokens: 1 });
    await until(() => service.admission.running === 2, "its first two");
    expect(service.admission.waiting).toBe(1);
    const other = post(CHAT, HELLO);
    await until(() => service.admission.waiting === 2, "another in line");
    expect((await post(CHAT, HELLO)).status).toBe(429);
    shut.open();
    const { choices } = await (await many).json();
    expect(choices.map(({ text }: { text: string }) => text)).toEqual(
      prompts.map((prompt) => `${prompt}There `),
    );
    expect((await other).status).toBe(200);
    // Prompts are scored before they are answered: the other request did not wait for those.
    expect(calls.findIndex(({ prompt }) => prompt === "Hello")).toBeLessThan(4);
    await until(() => service.lifecycles.size === 0, "the end of all");
    expect([service.admission.running, service.admission.waiting, running()]).toEqual([0, 0, 0]);
  });

  test("a request for several answers that is aborted leaves the queue with all of them", async () => {
    const { model, running } = fakeModel({ before: () => new Promise(() => {}) });
    const { post, service } = await serving(model, { parallel: 2, queue: 4 });
    const client = new AbortController();
    const asked = post(CHAT, { ...HELLO, n: 100 }, { signal: client.signal }).catch(() => {});
    await until(() => running() === 2, "two of its answers");
    client.abort();
    await asked;
    await until(() => service.lifecycles.size === 0, "the end of it");
    expect([service.admission.running, service.admission.waiting, running()]).toEqual([0, 0, 0]);
  });

  test("a client that leaves frees its place: while it waits, while it is answered, whole and streamed", async () => {
    const { model, running, calls } = fakeModel({
      before: (piece) => (piece > 0 ? new Promise(() => {}) : undefined),
    });
    const { post, service, log } = await serving(model, { parallel: 2, queue: 4 });
    const [whole, streamed, waiting, last] = Array.from({ length: 4 }, () => new AbortController());
    const ask = (body: object, client?: AbortController) =>
      post(CHAT, body, { signal: client?.signal ?? null }).catch((error: Error) => error.name);
    const answers = [ask(HELLO, whole), ask(STREAM, streamed)];
    await until(() => running() === 2, "two answers");
    answers.push(ask(STREAM, waiting), ask(HELLO, last));
    await until(() => service.admission.waiting === 2, "two in the queue");
    waiting?.abort();
    await until(() => service.admission.waiting === 1, "one left in the queue");
    expect(calls.length).toBe(2);
    whole?.abort();
    await until(
      () => calls[0]?.end !== undefined && calls.length === 3,
      "the next in the place of the first",
    );
    streamed?.abort();
    await until(() => running() === 1, "the stream's end");
    last?.abort();
    await until(() => service.lifecycles.size === 0, "the end of all");
    expect([service.admission.running, service.admission.waiting, running()]).toEqual([0, 0, 0]);
    expect(log.map(({ status, gone }) => [status, gone]).sort()).toEqual([
      [200, true],
      [200, true],
      [499, true],
      [499, true],
    ]);
    await Promise.allSettled(answers);
  });
});

test("a client that leaves in the middle of its request leaves nothing behind", async () => {
  const { model, calls } = fakeModel();
  const { port, service, log } = await serving(model);
  const client = connect(port, "127.0.0.1");
  client.on("error", () => {});
  client.write(`POST ${CHAT} HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{"messages"`);
  await until(() => service.lifecycles.size === 1, "the request");
  client.destroy();
  await until(() => log.length === 1, "its end");
  expect(log[0]).toMatchObject({ status: 499, gone: true });
  expect([service.lifecycles.size, calls.length]).toEqual([0, 0]);
});

describe("streams", () => {
  test("n answers as they are generated, usage, and the end", async () => {
    const { model } = fakeModel({ pieces: ["a", "b"] });
    const { post } = await serving(model);
    const answer = await post(CHAT, { ...STREAM, n: 2, stream_options: { include_usage: true } });
    expect(answer.headers.get("Content-Type")).toContain("text/event-stream");
    const events = eventsOf(await answer.text());
    expect(events.at(-1)).toBe("[DONE]");
    expect(events.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: 6, completion_tokens: 4 } });
    type Choice = { index: number; delta: { content?: string }; finish_reason: string | null };
    const choices = events.slice(0, -2).flatMap((event) => (event as { choices: Choice[] }).choices);
    for (const index of [0, 1]) {
      const own = choices.filter((choice) => choice.index === index);
      expect(own.map(({ delta }) => delta.content ?? "").join("")).toBe("ab");
      expect(own.at(-1)?.finish_reason).toBe("stop");
    }
    // Both run concurrently: neither waits for the other to end.
    expect(choices.findIndex(({ index, delta }) => index === 1 && delta.content === "a")).toBeLessThan(
      choices.findIndex(({ index, delta }) => index === 0 && delta.content === "b"),
    );
  });

  test("send keep-alives while there is no text, also in the queue", async () => {
    const shut = gate();
    const { model } = fakeModel({ before: shut.wait });
    const { post, service } = await serving(model, { parallel: 1, limits: { heartbeatMs: 10 } });
    const answers = [post(CHAT, STREAM), post(CHAT, STREAM)];
    const texts = answers.map(async (answer) => {
      let text = "";
      const reader = (await answer).body?.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        text += part.value;
        if (text.includes(": still here") && service.admission.waiting === 1) alive.add(reader);
        if (alive.size === 2) shut.open();
      }
      return text;
    });
    const alive = new Set<unknown>();
    for (const text of await Promise.all(texts)) expect(eventsOf(text).at(-1)).toBe("[DONE]");
    expect(alive.size).toBe(2);
  });

  test("an error in the middle is the last event, and reveals no internals", async () => {
    const { model } = fakeModel({ before: failAt(1, new Error("secret path /etc")) });
    const { post, log } = await serving(model);
    const events = eventsOf(await (await post(CHAT, STREAM)).text());
    expect(events.at(-1)).toMatchObject({ error: { type: "server_error", param: null } });
    const whole = await post(CHAT, HELLO);
    expect(whole.status).toBe(500);
    expect(JSON.stringify([events, await whole.json()])).not.toContain("secret");
    await until(() => log.length === 2, "the log");
    expect(log.map(({ error }) => error)).toEqual(Array(2).fill("Error: secret path /etc"));
  });

  test("a reader that takes nothing uses bounded memory, blocks no other, and is cut off", async () => {
    const { model, calls } = fakeModel({ pieces: Array<string>(5000).fill("x".repeat(10_000)) });
    const limits = { streamBytes: 64 * 1024, stallMs: 300 };
    const { post, port, service, log } = await serving(model, { parallel: 2, limits });
    const body = JSON.stringify(STREAM);
    const slow = connect(port, "127.0.0.1");
    slow.on("error", () => {});
    slow.pause();
    slow.write(
      `POST ${CHAT} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => calls.length === 1, "the slow one's answer");
    const quick = await post(CHAT, { ...HELLO, max_tokens: 3 });
    expect((await quick.json()).usage.completion_tokens).toBe(3);
    await until(() => calls[0]?.end !== undefined, "the cut");
    // The whole answer is 50 MB: the bytes taken are in the sockets' own buffers, except `streamBytes`.
    expect(calls[0]?.pieces).toBeLessThan(2500);
    await until(() => service.lifecycles.size === 0 && log.length === 2, "the end of all");
    expect(service.admission.running).toBe(0);
    expect(log.map(({ gone, error }) => [gone, error])).toContainEqual([
      true,
      "The reader took nothing for 0.3 s.",
    ]);
    // The connection is closed: not even the buffered bytes can be read to the end.
    let closed = false;
    slow.on("close", () => {
      closed = true;
    });
    slow.resume();
    await until(() => closed, "the connection's end");
  });
});

describe("shutdown", () => {
  test("drains: running answers finish, new requests are refused", async () => {
    const shut = gate();
    const { model, running } = fakeModel({ before: shut.wait });
    const { post, get, close, url, service } = await serving(model, { parallel: 1 });
    const answers = [post(CHAT, HELLO), post(CHAT, STREAM)] as const;
    await until(() => running() === 1 && service.admission.waiting === 1, "an answer, and one in line");
    const closed = close(5000);
    expect((await get("/health")).status).toBe(200);
    const ready = await get("/ready");
    expect([ready.status, ready.headers.get("Connection"), (await ready.json()).status]).toEqual([
      ...[503, "close", "draining"],
    ]);
    const late = await post(CHAT, HELLO);
    expect([late.status, await late.json()]).toMatchObject([503, { error: { code: "shutting_down" } }]);
    shut.open();
    const [whole, streamed] = await Promise.all(answers);
    expect((await whole.json()).choices[0].message.content).toBe("There was a cat.");
    expect(eventsOf(await streamed.text()).at(-1)).toBe("[DONE]");
    await closed;
    await expect(fetch(url)).rejects.toThrow();
  });

  test("does not wait for ever", async () => {
    const { model, running } = fakeModel({
      before: (piece) => (piece > 0 ? new Promise(() => {}) : undefined),
    });
    const { post, close } = await serving(model, { parallel: 1 });
    const answers = [post(CHAT, STREAM), post(CHAT, STREAM)];
    const texts = answers.map(async (answer) => (await answer).text());
    await until(() => running() === 1, "an answer");
    await Promise.all(answers);
    await close(20);
    expect(running()).toBe(0);
    for (const text of await Promise.all(texts))
      expect(eventsOf(text).at(-1)).toMatchObject({ error: { code: "shutting_down" } });
  });
});

describe("one connection", () => {
  const request = (body: object): string => {
    const text = JSON.stringify(body);
    return `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  };
  const endless = () => fakeModel({ before: (piece) => (piece > 0 ? new Promise(() => {}) : undefined) });

  test("runs one request at a time, and its pipelined requests end with its socket: streamed and whole", async () => {
    for (const body of [STREAM, HELLO]) {
      const { model, running, calls } = endless();
      const { port, service, post } = await serving(model, { parallel: 4, queue: 4 });
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(request(body).repeat(5));
      await until(() => running() === 1, "the first answer");
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect([calls.length, service.admission.running, service.lifecycles.size]).toEqual([1, 1, 1]);
      socket.destroy();
      await until(() => running() === 0 && service.lifecycles.size === 0, "the end of all");
      expect([calls.length, service.admission.running, service.admission.waiting]).toEqual([1, 0, 0]);
      // Others are served as before.
      const other = new AbortController();
      const asked = post(CHAT, STREAM, { signal: other.signal });
      await until(() => running() === 1, "another client's answer");
      other.abort();
      await asked.catch(() => {});
    }
  });

  test("that pipelines hundreds is closed, and leaves nothing behind", async () => {
    const { model, calls, running } = endless();
    const { port, service } = await serving(model, { parallel: 4, queue: 64 });
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(request(HELLO).repeat(500));
    await closed;
    await until(() => service.lifecycles.size === 0 && running() === 0, "the end of all");
    expect(calls.length).toBeLessThanOrEqual(1);
    expect([service.admission.running, service.admission.waiting]).toEqual([0, 0]);
  });

  test("answers a moderate number of pipelined requests in order", async () => {
    const { model } = fakeModel();
    const { port } = await serving(model, { parallel: 4, queue: 4 });
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.on("data", (data) => {
      text += data;
    });
    socket.write(request(HELLO).repeat(3));
    await until(() => text.split("There was a cat.").length === 4, "three answers");
    expect(text.split("HTTP/1.1 200 OK").length).toBe(4);
    socket.destroy();
  });

  test("keeps nothing of its many requests: no listener, no timer, also if clients leave early", async () => {
    const { model, running } = endless();
    const { get, post, service } = await serving(model, { parallel: 4, limits: { stallMs: 20_000 } });
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on("warning", warned);
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    for (let i = 0; i < 30; i++) await (await get("/health")).text();
    const before = timers();
    for (let i = 0; i < 20; i++) {
      const client = new AbortController();
      const asked = post(CHAT, HELLO, { signal: client.signal }).catch(() => {});
      await until(() => running() === 1, "an answer");
      client.abort();
      await asked;
      await until(() => service.lifecycles.size === 0 && running() === 0, "its end");
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off("warning", warned);
    expect(warnings).toEqual([]);
    expect(timers() - before).toBeLessThan(10);
  });

  test("half closed by its client, gets its answer or ends, and frees its place", async () => {
    const { model, running } = endless();
    const { port, service } = await serving(model, { parallel: 1, queue: 0 });
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {});
    socket.write(request(STREAM));
    await until(() => running() === 1, "the answer");
    socket.end();
    socket.resume();
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await until(() => running() === 0 && service.lifecycles.size === 0, "the end of it");
    expect([service.admission.running, service.admission.waiting]).toEqual([0, 0]);
  });

  test("that reads nothing is cut off although it keeps sending", async () => {
    const { model, running } = fakeModel({
      pieces: Array.from({ length: 20_000 }, () => "word ".repeat(200)),
    });
    const { port, service, log } = await serving(model, {
      parallel: 1,
      queue: 0,
      limits: { stallMs: 400, streamBytes: 1024 },
    });
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write(request(STREAM));
    await until(() => running() === 1, "the answer");
    // An occasional byte keeps the socket's own timer from expiring.
    const drip = setInterval(() => socket.write("\r\n"), 50);
    await until(() => service.lifecycles.size === 0, "the end of it");
    clearInterval(drip);
    expect([running(), service.admission.running]).toEqual([0, 0]);
    expect(log.at(-1)).toMatchObject({ gone: true, error: expect.stringMatching(/took nothing/) });
    socket.destroy();
  });
});

test("a server whose places are all taken by stalled work is not ready", async () => {
  const shut = gate();
  const { model, running } = fakeModel({ before: shut.wait });
  const { post, get } = await serving(model, { parallel: 1, queue: 5, limits: { stuckMs: 300 } });
  const status = async () => ((await (await get("/ready")).json()) as { status: string }).status;
  expect(await status()).toBe("ready");
  const asked = post(CHAT, HELLO);
  await until(() => running() === 1, "an answer");
  expect(await status()).toBe("ready");
  await until(async () => (await status()) === "stuck", "nothing to move");
  expect((await get("/ready")).status).toBe(503);
  shut.open();
  await asked;
  expect(await status()).toBe("ready");
});
