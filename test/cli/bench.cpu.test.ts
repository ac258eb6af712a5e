// `sirocco bench` and `sirocco bench compare`.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renderTable } from "../../bench/table.ts";
import { report, result } from "../bench/report.ts";
import { Session, sirocco } from "./fakes.ts";

const folder = () => mkdtempSync(join(tmpdir(), "sirocco-"));

describe("bench", () => {
  test("measures the default suites and prints a table", async () => {
    const { code, stdout, stderr, engine } = await sirocco(["bench"]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: renderTable(report), stderr: "" });
    const { names, request, version } = engine.called("bench")[0]!.options;
    expect(names).toEqual(["decode", "prefill", "kernels", "attention", "window"]);
    expect(request).toMatchObject({ load: { weights: "auto" }, budget: { runs: 5, seconds: 1 } });
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("passes on its options", async () => {
    const text = join(folder(), "text");
    writeFileSync(text, "A text.");
    const argv = `bench quality decode -m o/n -w q4 -c 512 --adapter paper --runs 3 --seconds 0.5 --text ${text}`;
    const { names, request } = (await sirocco(argv.split(" "))).engine.called("bench")[0]!.options;
    expect(names).toEqual(["decode", "quality"]);
    expect(request).toEqual({
      model: "o/n",
      load: { weights: "q4", cache: "auto", parallel: 1, contextLength: 512, adapter: "paper" },
      budget: { runs: 3, seconds: 0.5 },
      text: "A text.",
      streams: { streams: [1, 2, 4, 8], requests: undefined, promptTokens: 64, answerTokens: 32 },
    });
  });

  test("passes on the options of throughput", async () => {
    const argv = "bench throughput --streams 8,1,8 --requests 3 --prompt-tokens 5 --answer-tokens 6";
    const { request } = (await sirocco(argv.split(" "))).engine.called("bench")[0]!.options;
    expect(request.streams).toEqual({ streams: [1, 8], requests: 3, promptTokens: 5, answerTokens: 6 });
  });

  test("--json writes a file next to the table, or to stdout instead; --html writes a page", async () => {
    const [json, html] = [join(folder(), "a.json"), join(folder(), "a.html")];
    const both = await sirocco(["bench", "--json", json, "--html", html]);
    expect(JSON.parse(readFileSync(json, "utf8"))).toEqual(report);
    expect(readFileSync(html, "utf8")).toMatch(/^<!doctype html>/);
    expect(both).toMatchObject({ stdout: renderTable(report), stderr: `Written: ${json}, ${html}\n` });
    const { stdout, stderr } = await sirocco(["bench", "--json", "-"]);
    expect({ report: JSON.parse(stdout), stderr }).toEqual({ report, stderr: "" });
  });

  test("shows the current measurement on a terminal", async () => {
    expect((await sirocco(["bench"], { stderrTerminal: true })).stderr).toContain(
      "Measuring decode: context 0",
    );
    expect((await sirocco(["bench", "-q"], { stderrTerminal: true })).stderr).toBe("");
  });

  test("Ctrl-C ends it with the results so far", async () => {
    const session = new Session(["bench"], { slowBench: true, stderrTerminal: true });
    await session.see("context 0", "stderr");
    session.interrupt();
    expect(await session.exit).toBe(130);
    expect(session.stdout).toBe(renderTable({ ...report, interrupted: true }));
  });

  test("a failed suite is reported, and sets the exit code", async () => {
    const failed = { failed: ["attention"] as const, notes: ["attention: too large"] };
    const { code, stdout } = await sirocco(["bench"], { report: failed });
    expect(code).toBe(1);
    expect(stdout).toContain("note: attention: too large\n");
  });

  test.each([
    [["speed"], 2, 'bench: expected suites among load, decode, .*, constrained, got "speed"'],
    [["--runs", "0"], 2, '--runs: expected a whole number of at least 1, got "0"'],
    [["--seconds", "x"], 2, '--seconds: expected a number of at least 0, got "x"'],
    [["--streams", "1,0"], 2, '--streams: expected whole numbers from 1 to 1024, as in 1,2,4,8, got "1,0"'],
    [["--url", "here"], 2, '--url: expected an address, as in http://127.0.0.1:8000, got "here"'],
    [["--url", "http://user:secret@h"], 2, "--url: expected an address, .*"],
    [["--chat"], 2, "--chat: expected --url with it, got none"],
    [["--api-key", "k"], 2, "--api-key: expected --url with it, got none"],
    [["decode", "--url", "http://h"], 2, '--url: expected the suite throughput alone, got "decode"'],
    [["--url", "http://h", "-w", "q4"], 2, "--weights: expected none with --url, .*"],
    [["--url", "http://h", "--no-tune"], 2, "--no-tune: expected none with --url, .*"],
    [["--html", ""], 2, '--html: expected a file, got ""'],
    [["--text", ""], 2, '--text: expected a file, got ""'],
    [["--text", "/no/such/text"], 1, "--text /no/such/text: cannot be read .*"],
    [["--html", "/no/such/folder/a.html"], 1, "--html /no/such/folder/a.html: cannot be written .*"],
  ])("%j is refused before anything is loaded", async (argv, code, message) => {
    const run = await sirocco(["bench", ...argv]);
    expect({ code: run.code, stdout: run.stdout, calls: run.engine.calls }).toEqual({
      code,
      stdout: "",
      calls: [],
    });
    expect(run.stderr).toMatch(new RegExp(`^sirocco: ${message}\n$`));
  });
});

describe("bench compare", () => {
  const files = (factor: number) => {
    const root = folder();
    const after = result({ median: 50 * factor, min: 48 * factor, max: 51 * factor });
    return [report, { ...report, results: [after] }].map((each, i) => {
      const file = join(root, `${i}.json`);
      writeFileSync(file, JSON.stringify(each));
      return file;
    });
  };

  test("exits with 1 on a regression over the threshold, else with 0", async () => {
    const slower = await sirocco(["bench", "compare", ...files(0.8)]);
    expect(slower.code).toBe(1);
    expect(slower.stdout).toMatch(
      /WORSE +decode +0 +tokens\/s +50\.0 ±4% +40\.0 ±4% +-20\.0 %\n1 of 1 figures changed/,
    );
    expect(await sirocco(["bench", "compare", ...files(0.8), "--threshold", "25"])).toMatchObject({
      code: 0,
    });
    expect(await sirocco(["bench", "compare", ...files(1.3)])).toMatchObject({ code: 0 });
    expect((await sirocco(["bench", "compare", ...files(1)])).stdout).toBe(
      "0 of 1 figures changed by more than 5 % and beyond their runs\n",
    );
  });

  test("--json", async () => {
    const { code, stdout } = await sirocco(["bench", "compare", ...files(0.8), "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ common: 1, changes: [{ better: false }], differences: [] });
  });

  test("names the file that is no bench report", async () => {
    const [file] = files(1);
    const bad = join(folder(), "bad.json");
    writeFileSync(bad, "{}");
    expect(await sirocco(["bench", "compare", file!, bad])).toMatchObject({
      code: 1,
      stderr: `sirocco: ${bad}: expected a report of schema 1, got schema none. Write it with sirocco bench --json.\n`,
    });
    expect((await sirocco(["bench", "compare", file!])).code).toBe(2);
  });

  test("--help lists its options", async () => {
    const { code, stdout } = await sirocco(["bench", "compare", "--help"]);
    expect(code).toBe(0);
    for (const text of ["--threshold <percent>", "--json", "$ sirocco bench compare"])
      expect(stdout).toContain(text);
  });
});
