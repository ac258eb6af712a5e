// deploy/nginx/nginx.conf must agree with the server's routes and limits.
import { describe, expect, it } from "vitest";
import { paperServer, readText } from "./served.ts";

const text = readText("deploy/nginx/nginx.conf");

/** The value of the first directive with this name after the text `after`. */
function directive(name: string, after = ""): string {
  const found = new RegExp(`^\\s*${name}\\s+([^;]+);`, "m").exec(text.slice(text.indexOf(after)));
  if (!found) throw new Error(`nginx.conf: expected ${name}`);
  return found[1]!;
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
const milliseconds = (value: string): number => Number.parseInt(value, 10) * UNITS[value.at(-1)!]!;

describe("nginx.conf", () => {
  it("passes on every route of both APIs, /health and /ready, and none that tells or sets what is of one replica", () => {
    const passed = [...text.matchAll(/location ~ (\S+) \{/g)].map(([, pattern]) => new RegExp(pattern!));
    const { app } = paperServer();
    const routes = app.routes
      .filter(({ method, path }) => method !== "ALL" && !path.includes("*"))
      .map(({ path }) => path.replace(/:\w+(\{[^}]*\})?/g, "@cf/mistral/mistral-7b-instruct-v0.1"));
    expect(routes).toContain("/v1/chat/completions");
    const isPassed = (path: string) => passed.some((pattern) => pattern.test(path));
    expect([...new Set(routes.filter((path) => !isPassed(path)))]).toEqual([
      "/metrics",
      "/lora-adapters",
      "/",
    ]);
  });

  it("names the same replicas in each upstream", () => {
    const upstreams = [...text.matchAll(/^ {2}upstream \w+ \{([\s\S]*?)^ {2}\}/gm)].map(([, body]) =>
      [...body!.matchAll(/server ([\w.:]+)/g)].map(([, address]) => address),
    );
    expect(upstreams).toHaveLength(3);
    for (const each of upstreams) expect(each).toEqual(["127.0.0.1:8001", "127.0.0.1:8002"]);
  });

  it("has the server's bounds", () => {
    const { limits } = paperServer().service;
    expect(directive("client_max_body_size")).toBe(`${limits.bodyBytes / 2 ** 20}m`);
    expect(directive("client_body_buffer_size")).toBe(directive("client_max_body_size"));
    expect(milliseconds(directive("proxy_read_timeout"))).toBeGreaterThan(10 * limits.heartbeatMs);
    // nginx opens the connections, so it must also be the first to close idle ones.
    const [, idle] = /keepAliveTimeout: ([\d_]+)/.exec(readText("server/listen.ts")) ?? [];
    expect(milliseconds(directive("keepalive_timeout", "upstream"))).toBeLessThan(
      Number(idle?.replaceAll("_", "")),
    );
  });

  it("answers by itself in the shapes of the APIs", () => {
    const bodies = [...text.matchAll(/'(\{"(?:error|result)".*\})';/g)].map(([, body]) => JSON.parse(body!));
    expect(bodies).toHaveLength(5);
    for (const body of bodies) {
      const { error, errors } = body;
      expect(Object.keys(error ?? body)).toEqual(
        error ? ["message", "type", "param", "code"] : ["result", "success", "errors", "messages"],
      );
      expect((error ?? errors[0]).message).toMatch(/\.$/);
    }
  });
});
