// Help, version, and wrong calls of every command.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { sirocco } from "./fakes.ts";

const COMMON = ["--model", "--adapter", "--json", "--quiet", "--debug", "--help"];
const LOADING = [
  ...COMMON,
  "--weights",
  "--cache",
  "--context",
  "--window",
  "--threads",
  "--no-tune",
  "--unsafe-fast",
];
const SAMPLING = (
  "--max-tokens --temperature --top-k --top-p --min-p --repetition-penalty --frequency-penalty " +
  "--presence-penalty --logit-bias --seed --stop --ignore-eos"
).split(" ");
const FORMAT = ["--json-schema", "--json-object", "--regex", "--choice", "--grammar"];

/** All options of each command: a new option must be listed, and tested, here. */
const OPTIONS: Record<string, string[]> = {
  generate: [...LOADING, ...SAMPLING, ...FORMAT, "--adapter-model", "--file"],
  chat: [
    ...LOADING,
    ...SAMPLING,
    ...FORMAT,
    "--adapter-model",
    "--system",
    "--safe-prompt",
    "--no-history",
    "--show-thinking",
  ],
  serve: [
    ...LOADING,
    ...[
      "--host",
      "--port",
      "--parallel",
      "--queue",
      "--alias",
      "--drain",
      "--rings",
      "--slot-dir",
      "--adapter-dir",
      "--adapter-model",
      "--no-page",
    ],
    ...[
      "--api-key",
      "--api-key-file",
      "--cors",
      "--insecure",
      "--log-prompts",
      "--safe-prompt",
      "--moderate",
    ],
  ],
  classify: [...LOADING, "--file", "--labels", "--prompt", "--raw", "--normalize", "--adapter-model"],
  score: [...LOADING, "--file", "--top", "--adapter-model"],
  plan: [...LOADING, "--parallel", "--rings"],
  tune: [...LOADING, "--parallel"],
  quantize: [...COMMON, "--threads", "--weights", "--out"],
  bench: [
    ...[...LOADING, "--runs", "--seconds", "--text", "--html"],
    ...["--streams", "--requests", "--prompt-tokens", "--answer-tokens", "--url", "--api-key", "--chat"],
  ],
  info: COMMON.filter((name) => name !== "--adapter"),
};

describe("help", () => {
  test.each(Object.keys(OPTIONS))(
    "of %s lists each option with a description, and an example",
    async (name) => {
      const { code, stdout, stderr, engine } = await sirocco([name, "--help"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const lines = stdout.split("\n").filter((line) => /^ +(-\w, )?--/.test(line));
      const listed = lines.map((line) => /--[\w-]+/.exec(line)?.[0] ?? "");
      expect(listed.toSorted()).toEqual(OPTIONS[name]?.toSorted());
      for (const line of lines) expect(line).toMatch(/--\S+( <\S+>)? {2,}\w+/);
      expect(stdout).toMatch(new RegExp(`\\n {2}\\$ (.*\\| )?sirocco ${name}`));
      expect(engine.calls).toEqual([]);
      expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
    },
  );

  test("of generate shows the defaults", async () => {
    const { stdout } = await sirocco(["help", "generate"]);
    for (const [option, value] of [
      ["--max-tokens <count>", "256"],
      ["--temperature <t>", "0.7"],
      ["--top-k <count>", "0"],
      ["--top-p <p>", "0.95"],
      ["--min-p <p>", "0"],
      ["--repetition-penalty <x>", "1"],
      ["--frequency-penalty <x>", "0"],
      ["--presence-penalty <x>", "0"],
      ["--seed <number>", "random, and printed"],
      ["--model <source>", "the embedded tiny model"],
      ["--weights <format>", "auto"],
      ["--cache <format>", "auto"],
    ]) {
      const about = stdout
        .slice(stdout.indexOf(`${option} `))
        .replace(/\n {10,}/g, " ")
        .split("\n", 1)[0];
      expect(about).toContain(`(default: ${value})`);
    }
  });

  test("of the program lists the commands, the environment and the exit codes", async () => {
    const { code, stdout, engine } = await sirocco(["--help"]);
    expect(code).toBe(0);
    for (const name of Object.keys(OPTIONS)) expect(stdout).toMatch(new RegExp(`\\n {2}${name}\\b.* {2}\\w`));
    expect(stdout).toContain("Exit codes: 0 success, 1 failure, 2 wrong usage, 130 stopped by Ctrl-C.");
    for (const name of ["HF_TOKEN", "HF_ENDPOINT", "NO_COLOR", "SIROCCO_DEBUG"])
      expect(stdout).toContain(name);
    expect(engine.calls).toEqual([]);
  });

  test("is shown on stderr without a command", async () => {
    const { code, stdout, stderr } = await sirocco([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: sirocco /);
    expect(stderr).not.toContain("sirocco: ");
  });
});

test("--version is the package's", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(await sirocco(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: "" });
});

describe("wrong values", () => {
  const cases: [option: string, expected: string, values: string[]][] = [
    ["--max-tokens", "a whole number of at least 1", ["0", "-1", "1.5", "x", "", "1e3"]],
    ["--max-tokens", "a whole number up to 4294967295", ["99999999999"]],
    ["--temperature", "a number of at least 0", ["-0.1", "x", "", "NaN", "Infinity", "0x1", "1,5", " 1"]],
    ["--top-k", "a whole number of at least 0, or -1 for all", ["-2", "1.5", "x"]],
    ["--top-p", "a number between 0 and 1", ["x", "1.01", "-0.1", ""]],
    ["--min-p", "a number between 0 and 1", ["x", "2"]],
    ["--repetition-penalty", "a number from 0.001 to 1000", ["0", "-1", "1001", "x"]],
    ["--frequency-penalty", "a number from -1000 to 1000", ["1e9", "-1001", "Infinity"]],
    ["--presence-penalty", "a number from -1000 to 1000", ["1e9", "x", "1e999"]],
    [
      "--logit-bias",
      "a token id and a number, as in 42=-1.5",
      ["x", "1", "=1", "1=", "-1=1", "a=1", "1=x", "1=2=3", "1=1e31"],
    ],
    [
      "--seed",
      "a whole number from 0 to 4294967295, or -1 for none",
      ["-2", "1.5", "x", "4294967296", "1e9"],
    ],
    ["--stop", "at least one character", [""]],
    ["--context", "a whole number of at least 1", ["0", "4k"]],
    ["--weights", "one of auto, f32, f16, bf16, q8, q4, q4a, q4a64, q4a128, q4k", ["q5", "Q4", ""]],
    ["--window", "a whole number of at least 1", ["0", "4k"]],
    ["--window", "a whole number up to 4294967295", ["4294967296"]],
    ["--threads", "a whole number from 0 to 128", ["-1", "129", "1.5", "all"]],
    ["--cache", "one of auto, f32, f16, q8", ["bf16", "q4", "F16", ""]],
    ["--model", "a name, a folder, a .gguf file, a URL or owner/name[@revision]", ["", "  "]],
    ["--adapter", "part of an adapter's name", ["", " "]],
    ["--adapter-model", "a source, or a name and a source as in pirate=./adapters/pirate", ["", " "]],
    ["--file", "a file", ["", " "]],
    ["--json-schema", "a file", ["", " "]],
    ["--regex", "a pattern", ["", " "]],
    ["--choice", "texts separated by commas, as in yes,no", ["", ",", "a,", "a,,b"]],
    ["--grammar", "a file", [""]],
  ];
  test.each(cases)("of %s are refused: expected %s", async (option, expected, values) => {
    for (const value of values) {
      const { code, stdout, stderr, engine } = await sirocco(["generate", "x", option, value]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toBe(`sirocco: ${option}: expected ${expected}, got "${value}"\n`);
      expect(engine.calls).toEqual([]);
    }
  });

  test("every option with a value has wrong values listed here", () => {
    const flags = "--json --json-object --quiet --debug --help --ignore-eos --no-tune --unsafe-fast".split(
      " ",
    );
    const valued = (OPTIONS["generate"] ?? []).filter((option) => !flags.includes(option));
    expect([...new Set(cases.map(([option]) => option))].toSorted()).toEqual(valued.toSorted());
  });
});

describe("wrong calls", () => {
  test.each([
    [["generate", "x", "--tpo-p", "1"], "unknown option '--tpo-p' (Did you mean --top-p?)"],
    [["generate", "x", "--top-p"], "option '--top-p <p>' argument missing"],
    [["genrate"], "unknown command 'genrate' (Did you mean generate?)"],
    [["--nonsense"], "unknown option '--nonsense'"],
    [["plan", "x"], "too many arguments for 'plan'. Expected 0 arguments but got 1."],
  ])("%j", async (argv, message) => {
    const { code, stdout, stderr } = await sirocco(argv);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: `sirocco: ${message}\n` });
  });
});
