// `sirocco generate`: its calls of the engine, and its output.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DeviceError } from "../../engine/errors.ts";
import { Session, sirocco } from "./fakes.ts";

const STATS = /^3 tokens \(stop\), 20\.0 tokens\/s, first after 120 ms, q4 on Paper GPU, seed 7\n$/;

describe("the prompt", () => {
  test("is the argument", async () => {
    const { code, engine } = await sirocco(["generate", "Once upon"]);
    expect(code).toBe(0);
    expect(engine.called("generate")[0]?.prompt).toBe("Once upon");
  });

  test("is read from a pipe, without the newline that echo adds", async () => {
    for (const [stdin, prompt] of [
      ["One day\n", "One day"],
      ["One day\r\n", "One day"],
      ["a\nb\n\n", "a\nb\n"],
      ["  Zoë", "  Zoë"],
    ] as const) {
      const { engine } = await sirocco(["generate"], { stdin });
      expect(engine.called("generate")[0]?.prompt).toBe(prompt);
    }
  });

  test("is a file", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "sirocco-")), "prompt.txt");
    writeFileSync(file, "From a file\n");
    const { engine } = await sirocco(["generate", "--file", file], { stdin: "not this" });
    expect(engine.called("generate")[0]?.prompt).toBe("From a file");
  });

  test("may be empty if it is given", async () => {
    const { code, engine } = await sirocco(["generate", ""]);
    expect(code).toBe(0);
    expect(engine.called("generate")[0]?.prompt).toBe("");
  });

  test("is required, before anything is loaded", async () => {
    for (const setting of [{}, { stdin: "" }, { stdin: "\n" }]) {
      const { code, stdout, stderr, engine } = await sirocco(["generate"], setting);
      expect(code).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toBe(
        "sirocco: generate: no prompt. Give it as an argument, with --file, or through a pipe: " +
          'sirocco generate "Once upon a time"\n',
      );
      expect(engine.calls).toEqual([]);
    }
  });

  test("cannot be given twice, nor as several words", async () => {
    const both = await sirocco(["generate", "a", "--file", "b"]);
    expect(both).toMatchObject({
      code: 2,
      stderr: "sirocco: generate: expected a prompt or --file, got both\n",
    });
    const words = await sirocco(["generate", "Once", "upon"]);
    expect(words.code).toBe(2);
    expect(words.stderr).toMatch(/^sirocco: too many arguments for 'generate'.*\n$/);
  });

  test("in a file or a pipe: a byte order mark is dropped, other bytes are refused with their place", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "sirocco-cli-")), "prompt.txt");
    writeFileSync(file, "\ufeffOnce\n");
    const marked = await sirocco(["generate", "--file", file]);
    expect(marked.engine.called("generate")[0]?.prompt).toBe("Once");
    const bad = new Uint8Array([0x4f, 0x6e, 0xff, 0x63]);
    writeFileSync(file, bad);
    const torn = await sirocco(["generate", "--file", file]);
    expect(torn.code).toBe(1);
    expect(torn.stderr).toContain(
      `--file ${file}: expected UTF-8 text, got other bytes at offset 2. Save it`,
    );
    rmSync(join(file, ".."), { recursive: true });

    const piped = await sirocco(["score"], { stdin: "\ufeffOnce\n" });
    expect(piped.engine.called("score")[0]?.text).toBe("Once");
    for (const command of ["generate", "score"]) {
      const { code, stderr, engine } = await sirocco([command], { stdin: bad });
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: "sirocco: stdin: expected UTF-8 text, got other bytes at offset 2. Save it as UTF-8.\n",
      });
      expect(engine.called("loadModel")).toEqual([]);
    }
    const chat = await sirocco(["chat"], {
      stdin: new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0x0d, 0x0a, 0xff]),
    });
    expect(chat.engine.called("chat").map(({ messages }) => messages)).toEqual([
      [{ role: "user", content: "a" }],
    ]);
    expect(chat.stderr).toContain("stdin: line 2: expected UTF-8 text, got other bytes at offset 0");
  });

  test("in a missing file is an error with its name", async () => {
    const { code, stderr } = await sirocco(["generate", "--file", "/nowhere/x"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sirocco: --file \/nowhere\/x: cannot be read \(ENOENT.*\n$/);
  });
});

describe("output", () => {
  test("in a pipe: only the continuation, statistics on stderr", async () => {
    const { stdout, stderr, engine, listeners } = await sirocco(["generate", "Once", "--seed", "7"]);
    expect(stdout).toBe("there was a cat.\n");
    expect(stderr).toMatch(STATS);
    expect(engine.called("dispose")).toHaveLength(1);
    expect(listeners).toBe(0);
  });

  test("at a terminal: the prompt is shown before it, dimmed", async () => {
    const setting = { stdoutTerminal: true, stderrTerminal: true };
    const colored = await sirocco(["generate", "Once ", "-q"], setting);
    expect(colored.stdout).toBe("\u001b[2mOnce \u001b[22mthere was a cat.\n");
    const plain = await sirocco(["generate", "Once ", "-q"], { ...setting, env: { NO_COLOR: "1" } });
    expect(plain.stdout).toBe("Once there was a cat.\n");
    const dumb = await sirocco(["generate", "Once ", "-q"], { ...setting, env: { TERM: "dumb" } });
    expect(dumb.stdout).toBe("Once there was a cat.\n");
  });

  test("the model's control characters are removed at a terminal, and kept in a pipe", async () => {
    const pieces = ["a\u001b]0;pwned\u0007\tb\r\n", "\u009bc"];
    const terminal = await sirocco(["generate", "", "-q"], {
      pieces,
      stdoutTerminal: true,
      env: { NO_COLOR: "1" },
    });
    expect(terminal.stdout).toBe("a]0;pwned\tb\nc\n");
    const pipe = await sirocco(["generate", "", "-q"], { pieces });
    expect(pipe.stdout).toBe(`${pieces.join("")}\n`);
  });

  test("a final newline is added only if there is none", async () => {
    const { stdout } = await sirocco(["generate", "x"], { pieces: ["the end\n"] });
    expect(stdout).toBe("the end\n");
  });

  test("--quiet: nothing on stderr", async () => {
    const { stderr } = await sirocco(["generate", "x", "--quiet"], { stderrTerminal: true });
    expect(stderr).toBe("");
  });

  test("--json: one object and nothing else, on terminals too", async () => {
    const { stdout, stderr } = await sirocco(["generate", "x", "--json", "--seed", "7"], {
      stdoutTerminal: true,
    });
    expect(stderr).toBe("");
    expect(stdout.split("\n")).toHaveLength(2);
    expect(JSON.parse(stdout)).toEqual({
      text: "there was a cat.",
      ids: [0, 1, 2],
      finish: {
        reason: "stop",
        promptTokens: 4,
        cachedTokens: 0,
        completionTokens: 3,
        waitedMs: 0,
        prefillMs: 120,
        decodeMs: 100,
      },
      seed: 7,
      weights: "q4",
      adapter: "Paper GPU",
    });
  });

  test("statistics of an answer of one token or none have no rate", async () => {
    for (const pieces of [["x"], []]) {
      const { code, stderr } = await sirocco(["generate", "x"], { pieces });
      expect(code).toBe(0);
      expect(stderr).toMatch(/^[01] tokens \(stop\), first after 120 ms, q4 on Paper GPU, seed \d+\n$/);
    }
  });

  test("default seeds differ, and the printed ones were used", async () => {
    const runs = [await sirocco(["generate", "x"]), await sirocco(["generate", "x"])];
    const seeds = runs.map(({ engine }) => engine.called("generate")[0]?.options.seed);
    expect(seeds[0]).not.toBe(seeds[1]);
    expect(runs.map(({ stderr }) => Number(/seed (\d+)/.exec(stderr)?.[1]))).toEqual(seeds);
  });
});

describe("options of the engine", () => {
  test("defaults", async () => {
    const { engine } = await sirocco(["generate", "x"]);
    const { source, options } = engine.called("loadModel")[0]!;
    expect(source).toBeUndefined();
    expect(options).toEqual({
      weights: "auto",
      cache: "auto",
      parallel: 1,
      onProgress: expect.any(Function),
      signal: expect.any(AbortSignal),
    });
    expect(engine.called("generate")[0]?.options).toEqual({
      maxTokens: 256,
      temperature: 0.7,
      topK: 0,
      topP: 0.95,
      minP: 0,
      repetitionPenalty: 1,
      frequencyPenalty: 0,
      presencePenalty: 0,
      ignoreEos: false,
      seed: expect.any(Number),
      signal: expect.any(AbortSignal),
    });
  });

  test("a seed of -1 and a top-k of -1 mean none", async () => {
    const { engine, code } = await sirocco(["generate", "x", "--seed", "-1", "--top-k", "-1"]);
    expect(code).toBe(0);
    const { seed, topK } = engine.called("generate")[0]!.options!;
    expect(seed).toBeGreaterThanOrEqual(0);
    expect(topK).toBe(0);
  });

  test("every option", async () => {
    const loading = "--model owner/name@v1 --weights q8 --cache f16 --context 4096 --adapter llvm";
    const sampling =
      "--max-tokens 9 --temperature 1.5 --top-k 40 --top-p 0.9 --min-p .05 --repetition-penalty 1.1 " +
      "--frequency-penalty -0.5 --presence-penalty 2e-1 --logit-bias 42=-1.5 --logit-bias 7=100 --seed 4294967295 " +
      "--stop a --stop bc --ignore-eos";
    const { engine } = await sirocco(["generate", "x", ...`${loading} ${sampling}`.split(" ")]);
    const load = engine.called("loadModel")[0]!;
    expect(load.source).toBe("owner/name@v1");
    expect(load.options).toMatchObject({ weights: "q8", cache: "f16", contextLength: 4096, adapter: "llvm" });
    expect(engine.called("generate")[0]?.options).toMatchObject({
      maxTokens: 9,
      temperature: 1.5,
      topK: 40,
      topP: 0.9,
      minP: 0.05,
      repetitionPenalty: 1.1,
      frequencyPenalty: -0.5,
      presencePenalty: 0.2,
      logitBias: { 42: -1.5, 7: 100 },
      seed: 4294967295,
      stop: ["a", "bc"],
      ignoreEos: true,
    });
  });

  test("short names", async () => {
    const { engine } = await sirocco("generate x -m ./m -w f32 -c 64 -n 5 -t 0".split(" "));
    expect(engine.called("loadModel")[0]).toMatchObject({
      source: "./m",
      options: { weights: "f32", contextLength: 64 },
    });
    expect(engine.called("generate")[0]?.options).toMatchObject({ maxTokens: 5, temperature: 0 });
  });
});

describe("Ctrl-C", () => {
  test("stops the answer, keeps its text so far, and exits with 130", async () => {
    const session = new Session(["generate", "x", "--seed", "7"], { holdAfter: 2 });
    await session.see("was ");
    session.interrupt();
    expect(await session.exit).toBe(130);
    expect(session.stdout).toBe("there was \n");
    expect(session.stderr).toMatch(/^2 tokens \(abort\), .* seed 7\n$/);
    expect(session.engine.called("dispose")).toHaveLength(1);
  });

  test("a second one quits at once, even if the engine does not respond", async () => {
    const session = new Session(["generate", "x"], { holdAfter: 1, deaf: true });
    await session.see("there ");
    session.interrupt();
    session.interrupt();
    expect(await session.exit).toBe(130);
  });

  test("while loading stops it without an error", async () => {
    const session = new Session(["generate", "x"], { slowLoad: true, stderrTerminal: true });
    await session.see("Loading", "stderr");
    session.interrupt();
    expect(await session.exit).toBe(130);
    expect(session.stdout).toBe("");
    expect(session.stderr).not.toContain("sirocco:");
  });

  test("while the prompt is still being piped in", async () => {
    const session = new Session(["generate"], { stdin: null });
    await new Promise((resolve) => setTimeout(resolve, 5));
    session.interrupt();
    expect(await session.exit).toBe(130);
    expect(session.stderr).toBe("");
    expect(session.engine.calls).toEqual([]);
  });
});

describe("errors", () => {
  test("of the engine: one line, exit code 1, nothing on stdout", async () => {
    const error = new DeviceError("plan: this GPU holds 4 GiB,\n  the model needs 14 GiB.\nLoad it as q4.", {
      code: "adapter-limit",
    });
    const { code, stdout, stderr } = await sirocco(["generate", "x"], { errors: { loadModel: error } });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe("sirocco: plan: this GPU holds 4 GiB, the model needs 14 GiB. Load it as q4.\n");
  });

  test("show their cause if the message does not", async () => {
    const error = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
    const { stderr } = await sirocco(["generate", "x"], { errors: { loadModel: error } });
    expect(stderr).toBe("sirocco: fetch failed (connect ECONNREFUSED)\n");
  });

  test("--json: an object with name and message, on stderr", async () => {
    const error = new DeviceError("no adapter", { code: "no-adapter" });
    const failed = await sirocco(["generate", "x", "--json"], { errors: { loadModel: error } });
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(JSON.parse(failed.stderr)).toEqual({
      error: { name: "DeviceError", code: "no-adapter", message: "no adapter" },
    });
    const usage = await sirocco(["generate", "x", "--json", "--top-p", "2"]);
    expect(usage.code).toBe(2);
    expect(JSON.parse(usage.stderr).error.name).toBe("UsageError");
  });

  test("--debug and SIROCCO_DEBUG show the stack", async () => {
    const errors = { loadModel: new Error("broken") };
    const plain = await sirocco(["generate", "x"], { errors });
    expect(plain.stderr).toBe("sirocco: broken\n");
    for (const { argv, env } of [
      { argv: ["--debug"], env: {} },
      { argv: [], env: { SIROCCO_DEBUG: "1" } },
    ]) {
      const { stderr } = await sirocco(["generate", "x", ...argv], {
        errors,
        env: env as Record<string, string>,
      });
      expect(stderr).toMatch(/^sirocco: broken\n/);
      expect(stderr).toContain("generate.cpu.test.ts");
    }
  });

  test("of the engine during an answer start on a new line", async () => {
    const { code, stdout, engine } = await sirocco(["generate", "x"], {
      errors: { generate: new Error("lost") },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(engine.called("dispose")).toHaveLength(1);
  });
});

describe("stdout", () => {
  test("whose reader leaves ends the run quietly, and the engine's work too", async () => {
    const { code, stdout, stderr, engine } = await sirocco(["generate", "x"], {
      breakAfter: 7,
      holdAfter: 2,
    });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "there ", stderr: "" });
    expect(engine.called("generate")[0]?.options.signal?.aborted).toBe(true);
  });

  test("that cannot be written is an error", async () => {
    const stdoutError = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    const { code, stderr } = await sirocco(["generate", "x", "-q"], { stdoutError });
    expect(code).toBe(1);
    expect(stderr).toBe("sirocco: stdout cannot be written (ENOSPC: no space left on device)\n");
  });
});
