// Two `sirocco serve` with the embedded model behind nginx: one is killed under load, the other drains.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findNginx } from "../../scripts/nginx.mjs";
import { end, type Nginx, startNginx } from "./proxy.ts";

const skipped = "why" in findNginx() && process.env["SIROCCO_NGINX"] !== "required";
const KEY = "a-key-for-the-test";
/** Long enough to be cut off. */
const TOKENS = 24;

interface Served {
  readonly child: ChildProcess;
  readonly port: number;
}

const started: ChildProcess[] = [];

async function serve(): Promise<Served> {
  const command = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
  const child = spawn(process.execPath, [command, "serve", "--port", "0", "--drain", "60"], {
    env: { ...process.env, SIROCCO_API_KEY: KEY },
    stdio: ["ignore", "ignore", "pipe"],
  });
  started.push(child);
  let said = "";
  const port = await new Promise<number>((resolve, reject) => {
    child.stderr.on("data", (data) => {
      said += data;
      const [, port] = /http:\/\/127\.0\.0\.1:(\d+) serves/.exec(said) ?? [];
      if (port) resolve(Number(port));
    });
    child.on("exit", () => reject(new Error(`sirocco serve ended: ${said}`)));
  });
  return { child, port };
}

describe.skipIf(skipped)("sirocco serve, twice behind nginx", () => {
  let nginx: Nginx | undefined;
  let replicas: readonly Served[] = [];
  let count = 0;

  beforeAll(async () => {
    replicas = await Promise.all([serve(), serve()]);
    nginx = await startNginx(replicas);
  });
  afterAll(async () => {
    await nginx?.close();
    await Promise.all(started.map((child) => end(child, "SIGKILL")));
  });

  const ask = (tokens: number, key = KEY) =>
    fetch(`${nginx!.url}/v1/completions`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "X-Request-Id": `request-${count++}` },
      body: JSON.stringify({
        ...{ model: "tiny-mistral", prompt: "Once upon a time", temperature: 0 },
        ...{ max_tokens: tokens, stream: true },
      }),
    });

  /** The text of a stream, and whether it is complete. */
  async function read(response: Response): Promise<{ id: string; text: string; whole: boolean }> {
    const events: string[] = [];
    let rest = "";
    const lines = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const part = await lines.read().catch(() => ({ done: true as const, value: undefined }));
      if (part.done) break;
      const whole = (rest + part.value).split("\n\n");
      rest = whole.pop()!;
      events.push(...whole.filter((event) => event.startsWith("data: ")).map((event) => event.slice(6)));
    }
    const pieces = events.filter((event) => event.startsWith("{")).map((event) => JSON.parse(event));
    return {
      id: response.headers.get("X-Request-Id")!,
      text: pieces.map(({ choices }) => choices[0]?.text ?? "").join(""),
      whole: events.at(-1) === "[DONE]",
    };
  }

  /** The ports of the replicas that were asked for a request. */
  async function askedFor(id: string): Promise<string> {
    const lines = (await nginx!.log("sirocco.log")).trim().split("\n");
    return lines.map((line) => JSON.parse(line)).find((line) => line.id === id).replicas;
  }

  it("keeps the other's streams whole when one is killed, answers what is new, and drains", async () => {
    expect((await ask(1, "wrong")).status).toBe(401);
    const reference = await read(await ask(TOKENS));
    expect(reference.whole).toBe(true);

    const [killed, drained] = replicas as readonly [Served, Served];
    const responses = await Promise.all(Array.from({ length: 8 }, () => ask(TOKENS)));
    const streams = responses.map(read);
    await end(killed.child, "SIGKILL");
    const newcomers = await Promise.all(Array.from({ length: 4 }, async () => read(await ask(TOKENS))));
    for (const { text, whole } of newcomers)
      expect({ text, whole }).toMatchObject({ text: reference.text, whole: true });

    const results = await Promise.all(streams);
    const ports = await Promise.all(results.map(({ id }) => askedFor(id)));
    const survivors = results.filter((_, i) => ports[i]!.endsWith(`:${drained.port}`));
    expect(survivors.length).toBe(4);
    for (const { text, whole } of survivors)
      expect({ text, whole }).toEqual({ text: reference.text, whole: true });
    const cut = results.filter((_, i) => ports[i]!.endsWith(`:${killed.port}`));
    expect(cut.length).toBe(4);
    // Cut off: never another text, and never marked as complete.
    for (const { text, whole } of cut) {
      expect(reference.text.startsWith(text)).toBe(true);
      if (whole) expect(text).toBe(reference.text);
    }

    const last = await ask(TOKENS);
    const gone = new Promise((resolve) => drained.child.once("exit", resolve));
    drained.child.kill("SIGTERM");
    let refused = await ask(1);
    while (refused.status === 200) refused = await ask(1);
    expect([502, 503]).toContain(refused.status);
    expect(await refused.json()).toMatchObject({ error: { type: "server_error" } });
    expect(await read(last)).toMatchObject({ text: reference.text, whole: true });
    expect(await gone).toBe(0);
  });
});
