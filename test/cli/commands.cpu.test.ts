// `sirocco classify`, `score`, `plan`, `quantize` and `info`.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeCpu } from "../../engine/cpu/adapter.ts";
import { DeviceError } from "../../engine/errors.ts";
import { adapter, plan } from "../fake-model.ts";
import { description, FakeEngine, sirocco, tuning } from "./fakes.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const folder = () => mkdtempSync(join(tmpdir(), "sirocco-"));

describe("classify", () => {
  test("prints the labels, likeliest first", async () => {
    const { code, stdout, stderr, engine } = await sirocco(["classify", "A text.", "--labels", "good, bad"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "0.9000  good\n0.1000  bad\n" });
    expect(stderr).toMatch(/, q4 on Paper GPU\n$/);
    const [{ text, labels, options } = {}] = engine.called("classify");
    expect({ text, labels }).toEqual({ text: "A text.", labels: ["good", "bad"] });
    expect(options).toMatchObject({ raw: false, normalize: false });
    expect(options).not.toHaveProperty("prompt");
  });

  test("--json, options, and a text from a pipe or a file", async () => {
    const args = ["--raw", "--normalize", "--prompt", "{text}: ", "-l", "a,b,c", "--json"];
    const { stdout, stderr, engine } = await sirocco(["classify", ...args], { stdin: "piped\n" });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      ...{ label: "a", probabilities: { a: 0.9, b: 0.05, c: 0.05 } },
      ...{ promptTokens: 6, cachedTokens: 0, weights: "q4", adapter: "Paper GPU" },
    });
    const [{ text, options } = {}] = engine.called("classify");
    expect(text).toBe("piped");
    expect(options).toMatchObject({ raw: true, normalize: true, prompt: "{text}: " });
    const file = join(folder(), "text");
    writeFileSync(file, "filed\n");
    const filed = await sirocco(["classify", "-f", file, "-q", "-l", "a,b"]);
    expect(filed.engine.called("classify")[0]?.text).toBe("filed");
  });

  test("refuses wrong labels before anything is loaded", async () => {
    for (const labels of ["one", "", "a,", "a,b,a", ","]) {
      const { code, stderr, engine } = await sirocco(["classify", "x", "--labels", labels]);
      expect([labels, code, engine.calls]).toEqual([labels, 2, []]);
      expect(stderr).toMatch(/^sirocco: --labels: expected two labels or more that differ/);
    }
    const none = await sirocco(["classify", "x"]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/--labels/) });
    expect((await sirocco(["classify", "-l", "a,b"])).stderr).toMatch(/^sirocco: classify: no text\./);
  });
});

describe("score", () => {
  test("prints the perplexity, and its speed on stderr", async () => {
    const { code, stdout, stderr, engine } = await sirocco(["score", "A text."]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "perplexity 7.3891 over 3 tokens\n" });
    expect(stderr).toMatch(/^[\d.]+ tokens\/s, q4 on Paper GPU\n$/);
    expect(engine.called("score")[0]?.text).toBe("A text.");
    expect(engine.called("dispose")).toHaveLength(1);
  });

  test("also reads its text from a pipe or a file", async () => {
    expect((await sirocco(["score"], { stdin: "piped\n" })).engine.called("score")[0]?.text).toBe("piped");
    const file = join(folder(), "text");
    writeFileSync(file, "filed\n");
    expect((await sirocco(["score", "-f", file, "-q"])).engine.called("score")[0]?.text).toBe("filed");
    expect(await sirocco(["score"])).toMatchObject({ code: 2 });
  });

  test("--json", async () => {
    const { stdout, stderr } = await sirocco(["score", "x", "--json", "--weights", "q4", "--model", "./m"]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      perplexity: Math.exp(2),
      tokens: 3,
      logProbs: [-1, -2, -3],
      ranks: [1, 2, 5],
      weights: "q4",
      adapter: "Paper GPU",
    });
  });

  test("--top lists the likeliest tokens", async () => {
    const { stdout } = await sirocco(["score", "x", "--json", "--top", "1"]);
    const likely = { id: 300, text: " the", bytes: [32, 116, 104, 101], logProb: -1 };
    expect(JSON.parse(stdout).top).toEqual([[likely], [likely], [likely]]);
    const { code, stderr } = await sirocco(["score", "x", "--top", "6"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('from 0 to 5, got "6"') });
  });
});

describe("plan", () => {
  test("prints a table", async () => {
    const { code, stdout, stderr, engine } = await sirocco(
      "plan -m o/n --weights q4 --context 4096 --window 2048".split(" "),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`model            o/n
parameters       7.24 billion
checkpoint       13.5 GiB
weights          3.73 GiB as q4
cache            512 MiB as f16, 4,352 slots
scratch          3.00 MiB, 256 tokens a pass
total            4.23 GiB
largest binding  100 MiB of at most 128 MiB
context          4,096 tokens
adapter          Paper GPU
verdict          fits this adapter's limits
`);
    const { source, options } = engine.called("planModel")[0]!;
    expect(source).toBe("o/n");
    expect(options).toMatchObject({ weights: "q4", contextLength: 4096, window: 2048 });
    expect(engine.called("loadModel")).toEqual([]);
  });

  test("says how the checkpoint is quantised", async () => {
    const engine = new FakeEngine();
    Object.assign(engine, { planModel: async () => ({ ...plan, quantised: "Q4_K_M" }) });
    expect((await sirocco(["plan"], { engine })).stdout).toContain("\ncheckpoint       13.5 GiB, Q4_K_M\n");
  });

  test("a context that a window leaves without end", async () => {
    const engine = new FakeEngine();
    Object.assign(engine, { planModel: async () => ({ ...plan, contextLength: 2 ** 24 }) });
    expect((await sirocco(["plan"], { engine })).stdout).toContain("\ncontext          unlimited\n");
  });

  test("for the answers at once of a server", async () => {
    const engine = new FakeEngine();
    const calls: unknown[] = [];
    Object.assign(engine, {
      planModel: async (_: unknown, options: unknown) => {
        calls.push(options);
        return { ...plan, parallel: 8, rings: 9 };
      },
    });
    const { stdout } = await sirocco("plan --parallel 8 --rings 9".split(" "), { engine });
    expect(calls).toMatchObject([{ parallel: 8, rings: 9 }]);
    expect(stdout).toContain("\nat once          8 answers, 9 conversations kept\n");
  });

  test("--json prints the plan", async () => {
    expect(JSON.parse((await sirocco(["plan", "--json"])).stdout)).toEqual(plan);
  });

  test("refuses with the engine's numbers", async () => {
    const errors = {
      planModel: new DeviceError("plan: 14.5 GB of weights, 4 GB at most. Use --weights q4.", {
        code: "adapter-limit",
      }),
    };
    const { code, stdout, stderr } = await sirocco(["plan"], { errors });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe("sirocco: plan: 14.5 GB of weights, 4 GB at most. Use --weights q4.\n");
  });
});

describe("tune", () => {
  test("prints the measured variants, the fastest first, and the dropped ones", async () => {
    const { code, stdout, stderr, engine } = await sirocco("tune -m o/n -w q4".split(" "));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const table = (
      atOnce: number,
    ) => `q4 on Paper GPU, ${atOnce} at once; microseconds a launch by rows, * is used

decode qkv                  1        2
  * subgroup             41.5     83.0
    workgroup            52.3     60.0
    lane                    -        -  out: gives 1 where 2

prefill qkv               256
  * tile                  912
`;
    // Of one answer at a time, and of serve.
    expect(stdout).toBe(`${table(1)}\n${table(8)}`);
    expect(engine.called("tuneModel")).toMatchObject([
      { source: "o/n", options: { weights: "q4", parallel: 1 } },
      { source: "o/n", options: { weights: "q4", parallel: 8 } },
    ]);
    expect(engine.called("loadModel")).toEqual([]);
  });

  test("--json prints the tuning", async () => {
    const { stdout } = await sirocco(["tune", "--parallel", "3", "--json"]);
    const { parallel, choice, measurements } = JSON.parse(stdout);
    expect(parallel).toBe(3);
    expect(choice).toEqual(tuning.choice);
    expect(measurements[2]).toMatchObject({ variant: "lane", microseconds: null });
  });

  test("--threads, --no-tune and --unsafe-fast reach the engine, and only when asked for", async () => {
    const { engine } = await sirocco("score x --threads 3 --no-tune --unsafe-fast".split(" "));
    expect(engine.called("loadModel")[0]?.options).toMatchObject({
      threads: 3,
      tune: false,
      unsafeFast: true,
    });
    const plain = (await sirocco(["score", "x"])).engine.called("loadModel")[0]?.options;
    expect(plain).not.toHaveProperty("tune");
    expect(plain).not.toHaveProperty("unsafeFast");
    expect(plain).not.toHaveProperty("threads");
  });
});

describe("quantize", () => {
  test("writes a checkpoint, and prints both sizes and how to run it", async () => {
    const out = join(folder(), "new");
    const argv = [
      "quantize",
      "--model",
      "o/n",
      "--weights",
      "q4",
      "--out",
      out,
      "--adapter",
      "llvm",
      "--threads",
      "3",
    ];
    const { code, stdout, stderr, engine } = await sirocco(argv);
    expect(code).toBe(0);
    expect(stdout).toBe(`${out}: 2.00 MiB -> 512 KiB as q4, 2 files\n`);
    expect(stderr).toBe(`Try it: sirocco generate --model ${out} "Once upon a time"\n`);
    const { source, options } = engine.called("quantizeModel")[0]!;
    expect(source).toBe("o/n");
    expect(options).toMatchObject({ weights: "q4", out, adapter: "llvm", threads: 3 });
    expect(options.signal).toBeInstanceOf(AbortSignal);
  });

  test("--json", async () => {
    const out = join(folder(), "new");
    const { stdout, stderr } = await sirocco(["quantize", "-w", "q8", "-o", out, "--json"]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      out,
      weights: "q8",
      formats: ["q8"],
      before: 2 ** 21,
      bytes: 2 ** 19,
      files: ["model.safetensors", "config.json"],
    });
  });

  test("shows a command that names a folder, quoted if needed", async () => {
    const { stderr } = await sirocco(["quantize", "-w", "q8", "-o", "not there/it's q8"]);
    expect(stderr).toContain("--model './not there/it'\\''s q8' ");
  });

  test("needs a format and a folder that is new or empty", async () => {
    const empty = folder();
    expect((await sirocco(["quantize", "-w", "q4", "-o", empty])).code).toBe(0);
    const full = folder();
    mkdirSync(join(full, "a"));
    const file = join(full, "b");
    writeFileSync(file, "");
    for (const [argv, message] of [
      [["-w", "q4"], "quantize: expected --out, as in --out my-model-q4"],
      [
        ["-w", "auto", "-o", empty],
        '--weights: expected one of f32, f16, bf16, q8, q4, q4a, q4a64, q4a128, q4k, got "auto"',
      ],
      [["-w", "q4", "-o", ""], '--out: expected a folder, got ""'],
      [
        ["-w", "q4", "-o", full],
        `--out: expected a new or empty folder, got "${full}", which holds 2 entries`,
      ],
      [["-w", "q4", "-o", file], `--out: expected a folder, got the file "${file}"`],
    ] as const) {
      const { code, stderr, engine } = await sirocco(["quantize", ...argv]);
      expect({ code, stderr }).toEqual({ code: 2, stderr: `sirocco: ${message}\n` });
      expect(engine.calls).toEqual([]);
    }
  });
});

describe("merge", () => {
  test("prints what was written, and that the base is quantised", async () => {
    const out = join(folder(), "new");
    const argv = ["merge", "--model", "o/n", "--adapter", "./lora", "--out", out];
    const { code, stdout, stderr, engine } = await sirocco(argv);
    expect({ code, stdout, stderr }).toEqual({
      ...{ code: 0, stderr: "" },
      stdout: `${out}: 2.00 MiB in bf16, 14 tensors changed, 2 files\n`,
    });
    const { source, options } = engine.called("mergeModel")[0]!;
    expect(source).toBe("o/n");
    expect(options).toMatchObject({ adapter: "./lora", out, force: false });
    expect(options.signal).toBeInstanceOf(AbortSignal);
    const gguf = ["merge", "--model", "./a.gguf", "--adapter", "./lora", "--out", out];
    expect((await sirocco(gguf)).stderr).toBe(
      "The base is quantised (Q4_K_M): its dequantised weights were merged.\n",
    );
    expect(JSON.parse((await sirocco([...gguf, "--json"])).stdout)).toEqual({
      ...{ out, bytes: 2 ** 21, changed: 14, quantised: "Q4_K_M" },
      files: ["config.json", "model.safetensors"],
    });
  });

  test("needs an adapter, and a folder that is new or empty unless --force is set", async () => {
    const full = folder();
    mkdirSync(join(full, "a"));
    for (const [argv, message] of [
      [["-o", full], "merge: expected --adapter, as in --adapter ./my-adapter"],
      [["--adapter", "a"], "merge: expected --out, as in --out ./my-model"],
      [
        ["--adapter", "a", "-o", full],
        `--out: expected a new or empty folder, got "${full}", which holds "a". --force replaces the checkpoint in it`,
      ],
    ] as const) {
      const { code, stderr, engine } = await sirocco(["merge", ...argv]);
      expect({ code, stderr }).toEqual({ code: 2, stderr: `sirocco: ${message}\n` });
      expect(engine.calls).toEqual([]);
    }
    const file = join(full, "a.txt");
    writeFileSync(file, "mine");
    for (const force of [[], ["--force"]]) {
      const { code, stderr, engine } = await sirocco(["merge", "--adapter", "a", "-o", file, ...force]);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: `sirocco: --out: expected a folder, got the file "${file}"\n`,
      });
      expect(engine.calls).toEqual([]);
    }
    const { code, engine } = await sirocco(["merge", "--adapter", "a", "-o", full, "--force"]);
    expect([code, engine.called("mergeModel")[0]?.options.force]).toEqual([0, true]);
  });
});

describe("info", () => {
  test("lists versions and adapters", async () => {
    const { code, stdout, stderr, engine } = await sirocco(["info"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`sirocco   ${version}
node      ${process.versions.node}
platform  ${process.platform} ${process.arch}

adapter          Paper GPU
vendor           acme, origami
largest binding  128 MiB
largest buffer   2.00 GiB
features         shader-f16, subgroups
`);
    expect(engine.called("planModel")).toEqual([]);
  });

  test("with --model says what the checkpoint is, and opens no adapter", async () => {
    const { stdout, engine } = await sirocco(["info", "--model", "./m"]);
    expect(stdout).toMatch(/^model {10}owner\/name@main\nformat {9}GGUF v3, Q4_K_M\n/);
    expect(stdout).toContain("\nheads          32 of queries, 8 of keys and values, 128 wide\n");
    expect(stdout).toContain("\nalso there     model.Q8_0.gguf 7.17 GiB\n");
    expect(stdout).toContain("\n               q4a  4.59 GiB, as it is stored\n");
    expect(engine.calls).toEqual([{ name: "describeModel", source: "./m" }]);
  });

  test.each([40, 80])("fits %i columns", async (columns) => {
    const { stdout } = await sirocco(["info", "--model", "./m"], { columns });
    const widths = stdout.split("\n").map(({ length }) => length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
    expect(stdout.replace(/\s+/g, " ")).toContain(
      "warning owner/name@main: GGUF does not keep the attention",
    );
  });

  test("without a GPU says what to do for one", async () => {
    const { code, stdout } = await sirocco(["info"], { adapters: [describeCpu(3)] });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /\nno GPU, so models run on the CPU unless --adapter or SIROCCO_ADAPTER names a driver\. .*\b(driver|system)\b/,
    );
    expect(stdout).toContain("\nadapter          CPU (WebAssembly, 3 threads)\nvendor           wasm\n");
  });

  test("--json", async () => {
    const { stdout } = await sirocco(["info", "--json"]);
    const platform = `${process.platform} ${process.arch}`;
    const facts = { version, node: process.versions.node, platform };
    expect(JSON.parse(stdout)).toEqual({ ...facts, adapters: [adapter], advice: null });
    const cpu = describeCpu(1);
    const none = JSON.parse((await sirocco(["info", "--json"], { adapters: [cpu] })).stdout);
    expect(none).toMatchObject({ adapters: [cpu], advice: expect.any(String) });
    expect(JSON.parse((await sirocco(["info", "--json", "-m", "./m"])).stdout)).toEqual(description);
  });
});
