// `sirocco models`, names for --model, and the line before a download, against a Hub on loopback.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { knownModel, knownModels } from "../../weights/known-models.ts";
import { filesOf } from "../weights/memory-source.ts";
import { type MockHub, mockHub, REPOSITORY } from "../weights/mock-hub.ts";
import { Session, sirocco } from "./fakes.ts";

const weights = filesOf("test/golden/families/two_shards");
const weightBytes = Object.entries(weights).reduce(
  (sum, [name, { length }]) => sum + (name.endsWith(".safetensors") ? length : 0),
  0,
);

let hub: MockHub;
let home: string;
let env: Record<string, string>;
let folder: string;

beforeEach(async () => {
  hub = await mockHub({ ...weights, "tokenizer.json": new TextEncoder().encode("{}") });
  home = mkdtempSync(join(tmpdir(), "sirocco-models-"));
  env = { HF_HOME: home, HF_ENDPOINT: hub.url };
  folder = join(home, "hub", "models--owner--tiny");
});
afterEach(async () => {
  await hub.close();
  rmSync(home, { recursive: true });
});

const pull = (...more: string[]) => sirocco(["models", "pull", REPOSITORY, ...more], { env });

describe("pull", () => {
  test("says the size and the folder first, downloads the weights, and nothing again", async () => {
    const { code, stdout, stderr } = await pull();
    expect({ code, stderr: stderr.replace(home, "HOME") }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^Download: [\d.]+ KiB, kept in HOME.hub\. See `sirocco models`\n$/),
    });
    expect(stdout).toMatch(/^owner\/tiny@main: [\d.]+ KiB, downloaded and checked\n$/);
    const again = await pull();
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(again.stdout).toContain("here already");
    const { stdout: json } = await pull("--json");
    expect(JSON.parse(json)).toMatchObject({ name: "owner/tiny@main", bytes: weightBytes });
  });

  test("Ctrl-C keeps what is there: the list says so, and the next pull goes on from it", async () => {
    const held = "model-00002-of-00002.safetensors";
    const bytes = weights[held]!;
    hub.intercept = (file, request, response) => {
      if (file !== held || /bytes=\d{1,4}-\d{1,4}$/.test(request.headers.range ?? "")) return false;
      response.writeHead(200, { "content-length": bytes.length }).write(bytes.subarray(0, 5000));
      return true;
    };
    const session = new Session(["models", "pull", REPOSITORY], { env, stderrTerminal: true });
    await vi.waitUntil(
      () =>
        existsSync(join(folder, "blobs")) &&
        readdirSync(join(folder, "blobs")).some(
          (name) => name.endsWith(".incomplete") && readFileSync(join(folder, "blobs", name)).length === 5000,
        ),
      { timeout: 10_000 },
    );
    session.interrupt();
    expect(await session.exit).toBe(130);
    expect(session.stderr).toContain("Stopped. The same command goes on from here.");
    expect((await sirocco(["models"], { env })).stdout).toMatch(
      /owner\/tiny {2}.* KiB, 4\.88 KiB unfinished/,
    );

    hub.intercept = undefined;
    const { code, stderr } = await pull();
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Download: .* KiB \(.* KiB of it are there\), kept in /);
    expect((await sirocco(["models", "list", "--json"], { env })).stdout).toContain('"partialBytes":0}]');
  });

  test("of the GGUF files of a repository only the one that loads, all parts of it", async () => {
    const parts = [1, 2].map((part) => `tiny-Q8_0-0000${part}-of-00002.gguf`);
    const read = (name: string) =>
      new Uint8Array(readFileSync(`test/golden/formats/gguf_q8_0_split/${name}`));
    hub.files = {
      ...Object.fromEntries(parts.map((name) => [name, read(name)])),
      "x.F16.gguf": new Uint8Array(2 ** 24),
    };
    const { code, stdout, stderr } = await pull("--json");
    expect(stderr).toContain("Download: ");
    expect({ code, files: JSON.parse(stdout).files }).toEqual({
      code: 0,
      files: parts.map((file) => ({ file, bytes: read(file).length })),
    });
    const [snapshot = ""] = readdirSync(join(folder, "snapshots"));
    expect(readdirSync(join(folder, "snapshots", snapshot)).sort()).toEqual(parts);
    for (const name of parts)
      expect(new Uint8Array(readFileSync(join(folder, "snapshots", snapshot, name)))).toEqual(read(name));
  });

  test("a gated repository: the error says where to accept and how to give a token", async () => {
    hub.token = "secret";
    const { code, stderr } = await pull();
    expect(code).toBe(1);
    expect(stderr).toContain(
      `accept its licence at ${hub.url}/owner/tiny, make a token at ${hub.url}/settings/tokens`,
    );
    expect(stderr).toContain("set HF_TOKEN");
    expect(stderr).not.toContain("\n\n");
    expect(
      (await sirocco(["models", "pull", REPOSITORY], { env: { ...env, HF_TOKEN: "secret" } })).code,
    ).toBe(0);
  });

  test("of the embedded model nothing is downloaded; what is neither name nor repository is wrong usage", async () => {
    expect(await sirocco(["models", "pull", "tiny"], { env })).toMatchObject({ code: 0, stderr: "" });
    const { code, stderr } = await sirocco(["models", "pull", "../x"], { env });
    expect(code).toBe(2);
    expect(stderr).toMatch(/expected a name of `sirocco models`.*got "\.\.\/x"/);
  });
});

describe("list", () => {
  test("has every name, with sizes; other repositories below", async () => {
    const empty = await sirocco(["models"], { env });
    for (const { aliases, title } of knownModels)
      expect(empty.stdout).toMatch(new RegExp(`^${aliases[0]} +${title}`, "m"));
    expect(empty.stdout).toMatch(/^tiny .* none .* included$/m);
    expect(empty.stdout).toMatch(
      /^mistral-16bit: accept its terms first, at https:\/\/.*\/mistralai\/Mistral-7B/m,
    );
    expect(empty.stdout).toMatch(/\n0 bytes in all, in .*hub\n$/);
    await pull();
    const { bytes, models, others } = JSON.parse((await sirocco(["models", "--json"], { env })).stdout);
    expect(models.map(({ aliases }: { aliases: string[] }) => aliases)).toEqual(
      knownModels.map(({ aliases }) => aliases),
    );
    expect(others).toEqual([{ name: REPOSITORY, bytes, partialBytes: 0 }]);
    expect(bytes).toBeGreaterThan(weightBytes);
  });

  test.each([
    [80, "name           model                              download  GPU memory  on disk"],
    [60, "name           download  GPU memory  on disk"],
    [40, "name           download  on disk"],
  ])("fits %i columns", async (columns, head) => {
    const { stdout } = await sirocco(["models"], { env, columns });
    const rows = stdout.split("\n\n")[0]?.split("\n") ?? [];
    expect(rows[0]).toBe(head);
    expect(rows.length).toBe(1 + knownModels.length);
    expect(Math.max(...rows.map(({ length }) => length))).toBeLessThanOrEqual(columns);
  });

  test("a mistyped command is named", async () => {
    const { code, stderr } = await sirocco(["models", "lst"], { env });
    expect(code).toBe(2);
    expect(stderr).toContain('models: expected list, pull, rm or info, got "lst"');
  });

  test("a blob that two snapshots link to counts once", async () => {
    await pull();
    const { stdout: before } = await sirocco(["models", "--json"], { env });
    hub.commit = "d".repeat(40);
    await pull();
    expect(readdirSync(join(folder, "snapshots")).length).toBe(2);
    const [once, twice] = [before, (await sirocco(["models", "--json"], { env })).stdout].map((text) =>
      JSON.parse(text),
    );
    // A ref is 40 characters, whatever it refers to.
    expect(twice.bytes).toBe(once.bytes);
  });
});

describe("rm", () => {
  test("asks at a terminal, and deletes that repository only, links in it as links", async () => {
    await pull();
    const outside = join(home, "outside");
    mkdirSync(join(home, "hub", "models--owner--tiny-2"), { recursive: true });
    mkdirSync(outside);
    writeFileSync(join(outside, "keep"), "x");
    symlinkSync(outside, join(folder, "snapshots", "linked"));
    for (const [answer, gone] of [
      ["n", false],
      ["", false],
      ["y", true],
    ] as const) {
      const session = new Session(["models", "rm", REPOSITORY], { env, stderrTerminal: true });
      await session.see("[y/N]", "stderr");
      expect(session.stderr).toMatch(/Delete owner\/tiny \([\d.]+ KiB\) from .*models--owner--tiny\?/);
      session.type(`${answer}\n`);
      expect(await session.exit).toBe(0);
      expect(existsSync(folder)).toBe(!gone);
    }
    expect(readFileSync(join(outside, "keep"), "utf8")).toBe("x");
    expect(readdirSync(join(home, "hub"))).toEqual(["models--owner--tiny-2"]);
  });

  test("Ctrl-C at the question deletes nothing", async () => {
    await pull();
    const session = new Session(["models", "rm", REPOSITORY], { env, stderrTerminal: true });
    await session.see("[y/N]", "stderr");
    session.interrupt();
    expect(await session.exit).toBe(130);
    expect(existsSync(folder)).toBe(true);
  });

  test("where nobody can be asked it needs --yes", async () => {
    await pull();
    const piped = await sirocco(["models", "rm", REPOSITORY], { env, stdin: "y\n" });
    expect(piped.code).toBe(2);
    expect(piped.stderr).toContain("expected --yes");
    expect(existsSync(folder)).toBe(true);
    const { code, stdout } = await sirocco(["models", "rm", REPOSITORY, "--yes", "--json"], {
      env,
      stdin: "",
    });
    expect({ code, name: JSON.parse(stdout).name }).toEqual({ code: 0, name: REPOSITORY });
    expect(existsSync(folder)).toBe(false);
    expect((await sirocco(["models", "rm", "smollm2", "--yes"], { env })).code).toBe(1);
  });

  test("a repository that is a link to another place is left alone", async () => {
    const outside = join(home, "outside");
    mkdirSync(outside);
    mkdirSync(join(home, "hub"));
    symlinkSync(outside, folder);
    expect((await sirocco(["models", "rm", REPOSITORY, "--yes"], { env })).code).toBe(1);
    expect(existsSync(outside)).toBe(true);
  });
});

describe("info", () => {
  test("says what a model is for and needs, and what is on disk", async () => {
    const { stdout } = await sirocco(["models", "info", "mistral-16bit"], { env });
    for (const part of [
      "parameters",
      "7.25 billion",
      "licence",
      "Apache-2.0",
      "accept its terms at https://",
      "nothing",
    ])
      expect(stdout).toContain(part);
    await pull();
    const other = await sirocco(["models", "info", REPOSITORY], { env });
    expect(other.stdout).toMatch(
      /on disk +[\d.]+ KiB\n +in .*models--owner--tiny\n[\s\S]*model-00001-of-00002\.safetensors/,
    );
    const json = JSON.parse((await sirocco(["models", "info", "mistral", "--json"], { env })).stdout);
    expect(json).toMatchObject({ ...knownModel("mistral"), onDisk: null });
    expect((await sirocco(["models", "info", "owner/other"], { env })).code).toBe(1);
  });
});

describe("names for --model", () => {
  test("stand for their source in every command", async () => {
    const { source } = knownModel("mistral")!;
    for (const [call, argv] of [
      ["loadModel", ["generate", "x"]],
      ["planModel", ["plan"]],
      ["describeModel", ["info"]],
      ["tuneModel", ["tune"]],
      ["quantizeModel", ["quantize", "--out", "x"]],
      ["mergeModel", ["merge", "--adapter", "a", "--out", "x"]],
    ] as const) {
      const { engine } = await sirocco([...argv, "--model", "mistral"]);
      expect(engine.called(call)[0]).toMatchObject({ source });
    }
    const { engine } = await sirocco(["plan", "--model", "Tiny"]);
    expect(engine.called("planModel")[0]?.source).toMatch(/weights.tiny-mistral.$/);
  });

  test("a folder of that name comes first, and a line says so; ./name is always a folder", async () => {
    const before = process.cwd();
    mkdirSync(join(home, "smollm2"));
    process.chdir(home);
    try {
      const { engine, stderr } = await sirocco(["generate", "x", "--model", "smollm2"]);
      expect(engine.called("loadModel")[0]?.source).toBe("smollm2");
      expect(stderr).toMatch(
        /^smollm2: the smollm2 in this folder, not the model of that name: HuggingFaceTB\//m,
      );
      const plain = await sirocco(["generate", "x", "--model", "./smollm2"]);
      expect(plain.stderr).not.toContain("not the model");
    } finally {
      process.chdir(before);
    }
  });

  test.each([
    ["mistral7b", "mistral-7b"],
    ["smollm", "smollm2"],
    ["Mistrall", "mistral"],
  ])("%s is nearly one, and the error says which", async (model, name) => {
    const { code, stderr, engine } = await sirocco(["chat", "--model", model]);
    expect({ code, calls: engine.calls }).toEqual({ code: 2, calls: [] });
    expect(stderr).toContain(`Did you mean ${name}?`);
  });

  test("are in the help of the program and of every command with --model", async () => {
    for (const argv of [["--help"], ["chat", "--help"], ["serve", "--help"], ["plan", "--help"]]) {
      const text = (await sirocco(argv)).stdout.replace(/\s+/g, " ");
      for (const { aliases } of knownModels) expect(text).toContain(aliases[0]);
    }
  });
});

test("a command that downloads says so first, once, and not with --quiet", async () => {
  const argv = ["generate", "x", "--model", "owner/name"];
  const { stderr } = await sirocco(argv);
  expect(stderr.match(/Download: 2\.00 MiB \(1\.00 MiB of it are there\), kept in /g)?.length).toBe(1);
  expect((await sirocco([...argv, "--quiet"])).stderr).not.toContain("Download");
});
