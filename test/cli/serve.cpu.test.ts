// `sirocco serve` in this process: access, output, shutdown.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { FakeEngine, Session, type Setting, sirocco } from "./fakes.ts";

const folder = mkdtempSync(join(tmpdir(), "sirocco-serve-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a server, which runs until it is interrupted. @returns the session and the printed address */
async function serve(args: readonly string[], setting: Setting = {}) {
  const session = new Session(["serve", "--port", "0", ...args], setting);
  await session.see("waiting", "stderr");
  const url = /http:\/\/\S+/.exec(session.stderr)?.[0] ?? "";
  const status = async (path: string, headers: Record<string, string> = {}) =>
    (await fetch(url.replace("0.0.0.0", "127.0.0.1") + path, { headers })).status;
  return { session, url, status };
}

describe("serve", () => {
  test("loads with its options, prints its address, logs a line per request, and exits with 0", async () => {
    const args = [
      "-m",
      "owner/name@main",
      "-w",
      "q4",
      "--parallel",
      "3",
      "--queue",
      "5",
      "--alias",
      "gpt",
      "--json",
    ];
    const { session, url } = await serve(args);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(session.engine.called("loadModel")[0]).toMatchObject({
      ...{ source: "owner/name@main", options: { weights: "q4", parallel: 3 } },
    });
    const models = await (await fetch(`${url}/v1/models`)).json();
    expect(models.data.map(({ id }: { id: string }) => id)).toEqual(["owner/name", "gpt"]);
    await session.see("/v1/models");
    session.interrupt();
    expect(await session.exit).toBe(0);
    const [first, line] = session.stdout
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(first).toEqual({
      url,
      port: Number(new URL(url).port),
      model: "owner/name",
      adapters: [],
      parallel: 3,
      queue: 5,
    });
    expect(line).toMatchObject({ method: "GET", route: "/v1/models", status: 200 });
    expect(session.stderr).not.toContain("curl");
    expect(session.engine.called("dispose").length).toBe(1);
    expect(session.listeners).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });

  test("--alias reserves its name: a finetune in --adapter-dir that has it is noted", async () => {
    const id = "00000000-0000-4000-8000-000000000000";
    mkdirSync(join(folder, "finetunes", id), { recursive: true });
    const texts = { name: "gpt", model: "m", description: "", created_at: "", modified_at: "" };
    writeFileSync(join(folder, "finetunes", id, "finetune.json"), JSON.stringify({ id, ...texts }));
    const { session } = await serve(["--adapter-dir", join(folder, "finetunes"), "--alias", "gpt"]);
    session.interrupt();
    expect(await session.exit).toBe(0);
    expect(session.stderr).toContain(`${id}: name: expected one that neither the model nor another adapter`);
  });

  test("--moderate and --safe-prompt reach the requests", async () => {
    const post = async (args: string[]) => {
      const { session, url } = await serve(args);
      const body = JSON.stringify({ messages: [{ role: "user", content: "Hi" }] });
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body });
      session.interrupt();
      expect(await session.exit).toBe(0);
      return [response.status, session.engine.called("moderate").map(({ text }) => text)];
    };
    // The fake model flags everything. The first text is tried before the server listens.
    expect(await post(["--moderate", "reject"])).toEqual([400, ["Hello!", "Hi"]]);
    expect(await post(["--moderate", "flag"])).toEqual([200, ["Hello!", "Hi", "there was a cat."]]);
    expect(await post(["--safe-prompt"])).toEqual([200, []]);
  });

  test.each([
    [[], "tiny-mistral"],
    [["-m", "./models/Mistral-7B-q4/"], "Mistral-7B-q4"],
    [["-m", "a@b/c@d/e"], "e"],
    [["-m", "owner/name@refs/pr/1"], "owner/name"],
    [["-m", "https://host.example/files/tiny"], "tiny"],
  ])("with %j the model is called %s; a terminal gets a line to try", async (args, name) => {
    const { session, status } = await serve(args, { stderrTerminal: true });
    expect(session.stderr).toContain(`serves ${name}:`);
    expect(session.stderr).toMatch(/curl http:\/\/127.*chat\/completions/);
    expect(await status(`/v1/models/${name}`)).toBe(200);
    session.interrupt();
    expect(await session.exit).toBe(0);
  });

  test("keys from options, a file and the environment; none is printed", async () => {
    const file = join(folder, "keys.txt");
    writeFileSync(file, "# team A\nkey-of-file\n\n  key-two  \n");
    const args = [
      "--api-key",
      "key-one",
      "--api-key",
      "key-more",
      "--api-key-file",
      file,
      "--host",
      "0.0.0.0",
    ];
    const { session, status } = await serve(args, { env: { SIROCCO_API_KEY: "key-env" } });
    for (const key of ["key-one", "key-more", "key-of-file", "key-two", "key-env"])
      expect([key, await status("/v1/models", { Authorization: `Bearer ${key}` })]).toEqual([key, 200]);
    for (const key of ["", "# team A", "team", "key"])
      expect([key, await status("/v1/models", { Authorization: `Bearer ${key}` })]).toEqual([key, 401]);
    session.interrupt();
    expect(await session.exit).toBe(0);
    expect(session.stdout + session.stderr).not.toMatch(/key-(one|more|of|two|env)/);
  });

  test("an address beyond this machine requires a key or --insecure", async () => {
    for (const host of ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.0.0.1.example.org"]) {
      const { code, stderr, engine } = await sirocco(["serve", "--host", host]);
      expect([host, code, engine.calls]).toEqual([host, 2, []]);
      expect(stderr).toMatch(/^sirocco: --host: .*--api-key-file, or --insecure\n$/);
    }
    const { session } = await serve(["--host", "0.0.0.0", "--insecure"]);
    session.interrupt();
    expect(await session.exit).toBe(0);
  });

  test("explains invalid options", async () => {
    const empty = join(folder, "empty.txt");
    writeFileSync(empty, "# nothing\n");
    const cases: [args: string[], code: number, says: RegExp][] = [
      [["--port", "70000"], 2, /--port: .*0 to 65535/],
      [["--parallel", "0"], 2, /--parallel: .*1 to 256/],
      [["--moderate", "yes"], 2, /--moderate: expected reject or flag, got "yes"/],
      [["--api-key", ""], 2, /--api-key: /],
      [["--api-key", "se cret"], 2, /--api-key: expected a key of up to 4096 visible/],
      [["--api-key-file", join(folder, "none.txt")], 2, /none\.txt" cannot be read/],
      [["--api-key-file", empty], 2, /a key a line, got none/],
    ];
    for (const [args, code, says] of cases) {
      const result = await sirocco(["serve", ...args]);
      expect([args, result.code]).toEqual([args, code]);
      expect(result.stderr).toMatch(says);
      expect(result.stderr).not.toContain("se cret");
    }
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    const taken = await sirocco(["serve", "--port", String(port)]);
    expect([taken.code, taken.stderr]).toEqual([
      1,
      expect.stringMatching(/--port: expected a free port, got \d+, which is in use/),
    ]);
    expect(taken.engine.called("dispose").length).toBe(1);
    other.close();
  });

  test("a second Ctrl-C does not wait for running answers", async () => {
    const engine = new FakeEngine({ deaf: true, holdAfter: 1 });
    const { session, url } = await serve([], { engine });
    const answer = fetch(`${url}/v1/completions`, {
      method: "POST",
      body: JSON.stringify({ prompt: [1], stream: true }),
    });
    await (await answer).body?.getReader().read();
    session.interrupt();
    await session.see("Ctrl-C quits at once", "stderr");
    session.interrupt();
    expect(await session.exit).toBe(130);
  });
});
