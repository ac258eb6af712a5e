// Keys, origins and the log.
import { describe, expect, test } from "vitest";
import type { Model } from "../../engine/node.ts";
import { fakeModel } from "../fake-model.ts";
import { HELLO, serving, until } from "./serving.ts";

const CHAT = "/v1/chat/completions";
const KEYS = ["first-key-000", "second-key-111"];

describe("keys", () => {
  test("only requests with a valid key are accepted", async () => {
    const { model, calls } = fakeModel();
    const { post, get, log } = await serving(model, { keys: KEYS, logPrompts: true });
    const ask = async (authorization?: string) => {
      const headers = authorization === undefined ? {} : { Authorization: authorization };
      return (await post(CHAT, HELLO, { headers })).status;
    };
    const wrong = [
      ...[undefined, "", "Bearer", "Bearer ", "Bearer x", "Bearer first-key-00", "Bearer first-key-0000"],
      ...[
        "first-key-000",
        "Basic first-key-000",
        "Bearer first-key-000 second-key-111",
        "Bearer first-key-000,",
      ],
    ];
    for (const each of wrong) expect([each, await ask(each)]).toEqual([each, 401]);
    expect(calls).toEqual([]);
    for (const key of KEYS) expect(await ask(`Bearer ${key}`)).toBe(200);
    expect(await ask(`bearer  ${KEYS[0]}`)).toBe(200);
    const denied = await get("/v1/models");
    expect([denied.status, denied.headers.get("WWW-Authenticate")]).toEqual([401, "Bearer"]);
    expect(await denied.json()).toMatchObject({
      error: { type: "authentication_error", code: "invalid_api_key" },
    });
    // Load balancers have no key. Metrics: from this machine only, and not through a proxy on it.
    expect((await get("/health")).status).toBe(200);
    expect((await get("/ready")).status).toBe(200);
    expect((await get("/metrics")).status).toBe(200);
    const proxied = { "X-Forwarded-For": "203.0.113.7" };
    expect((await get("/metrics", proxied)).status).toBe(401);
    expect((await get("/metrics", { ...proxied, Authorization: `Bearer ${KEYS[1]}` })).status).toBe(200);
    await until(() => log.length === wrong.length + 9, "the log");
    expect(JSON.stringify(log)).not.toContain("-key-");
  });

  test("a server without keys requires none", async () => {
    const { post } = await serving(fakeModel().model);
    expect((await post(CHAT, HELLO)).status).toBe(200);
    expect((await post(CHAT, HELLO, { headers: { Authorization: "Bearer anything" } })).status).toBe(200);
  });
});

describe("origins", () => {
  test("pages can call only from allowed origins", async () => {
    const from = (Origin: string) => ({ headers: { Origin } });
    const closed = await serving(fakeModel().model);
    const refused = await closed.post(CHAT, HELLO, from("https://evil.example"));
    expect([refused.status, refused.headers.get("Access-Control-Allow-Origin")]).toEqual([403, null]);
    const open = await serving(fakeModel().model, { cors: ["https://app.example"], keys: ["k"] });
    const preflight = await fetch(open.url + CHAT, {
      method: "OPTIONS",
      headers: {
        ...from("https://app.example").headers,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("Access-Control-Allow-Origin")).toBe("https://app.example");
    expect(preflight.headers.get("Access-Control-Allow-Headers")).toContain("authorization");
    const denied = await open.post(CHAT, HELLO, from("https://app.example"));
    expect([denied.status, denied.headers.get("Access-Control-Allow-Origin")]).toEqual([
      401,
      "https://app.example",
    ]);
    expect((await open.post(CHAT, HELLO, from("https://evil.example"))).status).toBe(403);
    const all = await serving(fakeModel().model, { cors: ["*"] });
    expect((await all.post(CHAT, HELLO, from("https://any.example"))).status).toBe(200);
  });
});

describe("the log", () => {
  test("one line per request, with its id, and prompts only if enabled", async () => {
    const { post, get, log } = await serving(fakeModel().model);
    const own = await post(CHAT, HELLO, { headers: { "X-Request-Id": "trace-1.a" } });
    expect(own.headers.get("X-Request-Id")).toBe("trace-1.a");
    const odd = await post(CHAT, { ...HELLO, stream: true }, { headers: { "X-Request-Id": "a b\t{}" } });
    expect(odd.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
    await odd.text();
    await get("/nowhere/secret");
    await until(() => log.length === 3, "three lines");
    const line = {
      ...{ method: "POST", route: CHAT, status: 200, promptTokens: 6, cachedTokens: 1, completionTokens: 4 },
      ...{
        queueMs: expect.any(Number),
        ttftMs: expect.any(Number),
        totalMs: expect.any(Number),
        gone: false,
      },
      time: expect.stringMatching(/^\d{4}-.*Z$/),
    };
    expect(log[0]).toEqual({ ...line, id: "trace-1.a" });
    expect(log[1]).toEqual({ ...line, id: odd.headers.get("X-Request-Id") });
    expect(log[2]).toMatchObject({ route: "unknown", status: 404, ttftMs: null });
    expect(JSON.stringify(log)).not.toMatch(/Hello|secret/);

    const figures = await (await get("/metrics")).text();
    for (const figure of [
      `requests_total{route="${CHAT}",status="200"} 2`,
      'requests_total{route="unknown",status="404"} 1',
      'tokens_total{kind="prompt"} 12',
      'tokens_total{kind="cached"} 2',
      'tokens_total{kind="completion"} 8',
      "time_to_first_token_seconds_count 2",
      "tokens_per_second_count 2",
      `gpu_memory_bytes ${fakeModel().model.plan.totalBytes}`,
      ...["batch_size 2.5", "cache_use_ratio 0.25", "queue_length 0"],
    ])
      expect(figures).toContain(`sirocco_${figure}\n`);

    const numbers = { rings: 2, cacheSlots: 100, cachedTokens: 50, steps: 10, stepRows: 25 };
    const busy = await serving({ ...fakeModel().model, activity: async () => numbers } as Model);
    const activity = await (await busy.get("/metrics")).text();
    for (const figure of ["batch_size 2.5", "cache_tokens 50", "cache_use_ratio 0.25", "step_rows 25"])
      expect(activity).toContain(`sirocco_${figure}\n`);

    const telling = await serving(fakeModel().model, { logPrompts: true });
    await telling.post(CHAT, HELLO);
    await until(() => telling.log.length === 1, "a line");
    expect(telling.log[0]?.["prompt"]).toEqual(HELLO.messages);
  });
});
