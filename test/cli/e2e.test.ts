// The built command: real processes, the real engine, the embedded model.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureBuild } from "../../scripts/build.mjs";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../golden/tiny-mistral/${name}.json`, import.meta.url), "utf8"));
const once = golden("02_once");
const folder = mkdtempSync(join(tmpdir(), "sirocco-"));

/** Lines that Dawn and the Vulkan loader write to stderr. */
const NOISE = /^(Warning|Error): .*\n|^ {4}at .*\n|^\n/gm;

interface Running {
  readonly stdin?: string;
  readonly env?: Record<string, string>;
  /** Called at the first piece of the answer. */
  readonly onAnswer?: (child: ReturnType<typeof spawn>, piece: string) => void;
}

function sirocco(args: readonly string[], { stdin = "", env = {}, onAnswer }: Running = {}) {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env } });
  const text = { stdout: "", stderr: "" };
  child.stdout.once("data", (piece) => onAnswer?.(child, String(piece)));
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (piece: string) => {
      text[name] += piece;
    });
  }
  child.stdin.end(stdin);
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, stdout: text.stdout, stderr: text.stderr.replace(NOISE, "") }),
    );
  });
}

beforeAll(async () => {
  expect(await ensureBuild({ silent: true })).toBe(true);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// A software driver compiles its shaders first, and SwiftShader takes seconds for a token.
describe("sirocco", { timeout: 600_000 }, () => {
  test("several threads of the CPU give the same text", async () => {
    const args = "generate Once --adapter cpu --weights q4 --seed 3 --max-tokens 40 --json --threads".split(
      " ",
    );
    const answers = await Promise.all(
      ["1", "2", "5"].map(async (threads) => JSON.parse((await sirocco([...args, threads])).stdout)),
    );
    expect(answers.map(({ adapter }) => adapter)).toEqual([
      "CPU (WebAssembly, 1 thread)",
      "CPU (WebAssembly, 2 threads)",
      "CPU (WebAssembly, 5 threads)",
    ]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  test("generates the reference's tokens from a pipe", async () => {
    const count = 24;
    const args = ["generate", "--temperature", "0", "--max-tokens", `${count}`, "--json"];
    const { code, stdout, stderr } = await sirocco(args, { stdin: `${once.text}\n` });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { ids, text, finish } = JSON.parse(stdout);
    expect(ids).toEqual(once.greedy_64_ids.slice(0, count));
    expect(once.greedy_64_text.startsWith(text)).toBe(true);
    expect(finish).toMatchObject({
      reason: "length",
      promptTokens: once.ids.length,
      completionTokens: count,
    });
  });

  test("says in one line that there is no adapter", async () => {
    const env = {
      SIROCCO_ADAPTER: "webgpu",
      VK_DRIVER_FILES: join(folder, "no-driver.json"),
      VK_ICD_FILENAMES: join(folder, "no-driver.json"),
    };
    const { code, stdout, stderr } = await sirocco(["generate", "x"], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^sirocco: .*adapter.*\n$/);
  });
  test("streams text, and Ctrl-C stops it with the text so far", {
    skip: process.platform === "win32",
  }, async () => {
    const args = ["generate", once.text, "-t", "0", "-n", "2000", "--ignore-eos"];
    const { code, stdout, stderr } = await sirocco(args, { onAnswer: (child) => child.kill("SIGINT") });
    expect(code).toBe(130);
    const text = stdout.trimEnd();
    expect(text).not.toBe("");
    expect(once.greedy_64_text.startsWith(text) || text.startsWith(once.greedy_64_text)).toBe(true);
    expect(stderr).toMatch(/^\d+ tokens \(abort\), .*, bf16 on .*, seed \d+\n$/);
  });

  test("ends quietly when its reader leaves", async () => {
    const { code, stderr } = await sirocco(["generate", once.text, "-n", "2000", "--ignore-eos"], {
      onAnswer: (child) => child.stdout?.destroy(),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("chats through a pipe, and reuses the cache of earlier turns", async () => {
    const stdin = "Tell me a story about a cat named Tom.\nTell me more.\n";
    const { code, stdout, stderr } = await sirocco("chat --json -t 0 -n 16".split(" "), { stdin });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [first, second] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const { greedy_64_ids, ids } = golden("04_chat");
    expect(first.ids).toEqual(greedy_64_ids.slice(0, 16));
    expect(first.finish).toMatchObject({ promptTokens: ids.length, cachedTokens: 0 });
    expect(second.finish.cachedTokens).toBeGreaterThanOrEqual(ids.length);
  });

  test("scores a text as the reference does", async () => {
    const { text, perplexity } = golden("text600");
    const { code, stdout } = await sirocco(["score", "--json"], { stdin: text });
    expect(code).toBe(0);
    const score = JSON.parse(stdout);
    expect(score.tokens).toBe(599);
    expect(score.logProbs).toHaveLength(599);
    expect(Math.abs(score.perplexity / perplexity - 1)).toBeLessThan(1e-4);
  });

  test("plans, quantizes, and runs the written checkpoint", async () => {
    const plan = async (...args: string[]) => JSON.parse((await sirocco(["plan", "--json", ...args])).stdout);
    const before = await plan();
    const out = join(folder, "q4");
    const quantized = await sirocco(["quantize", "--weights", "q4", "--out", out]);
    expect(quantized).toMatchObject({ code: 0, stdout: expect.stringContaining("as q4") });
    const after = await plan("--model", out);
    expect(before).toMatchObject({ weights: "bf16", parameters: after.parameters });
    expect(after.weights).toBe("q4");
    expect(after.checkpointBytes).toBeLessThan(0.35 * before.checkpointBytes);
    const { code, stdout } = await sirocco(["generate", once.text, "-t", "0", "-n", "8", "-m", out]);
    expect(code).toBe(0);
    expect(stdout.trim()).not.toBe("");
  });

  test("names the adapter, and accepts a part of its name", async () => {
    const { adapters } = JSON.parse((await sirocco(["info", "--json"])).stdout);
    expect(adapters).not.toEqual([]);
    const [{ name }] = adapters;
    const chosen = await sirocco(["plan", "--adapter", name.slice(1, 6)]);
    expect(chosen.code).toBe(0);
    const unknown = await sirocco(["plan", "--adapter", "no such adapter"]);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining(name) });
  });

  test("names the folder that holds no model", async () => {
    const { code, stdout, stderr } = await sirocco(["generate", "x", "--model", folder]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^sirocco: .+\n$/);
    expect(stderr).toContain("config.json");
  });

  // It does not depend on the driver, and SwiftShader would take a minute to load.
  test("serves, and on SIGTERM finishes the running answer", {
    skip: process.platform === "win32" || process.env["SIROCCO_DRIVER"] === "swiftshader",
  }, async () => {
    let answer: Promise<string> | undefined;
    const { code, stdout } = await sirocco(["serve", "--port", "0", "--json"], {
      onAnswer: (child, first) => {
        const body = JSON.stringify({ prompt: once.text, max_tokens: 24, temperature: 0, stream: true });
        const begun = fetch(`${JSON.parse(first).url}/v1/completions`, { method: "POST", body });
        answer = begun.then((response) => {
          child.kill("SIGTERM");
          return response.text();
        });
      },
    });
    expect(code).toBe(0);
    const events = [...((await answer) ?? "").matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => data);
    expect(events.pop()).toBe("[DONE]");
    const text = events.map((data) => JSON.parse(data).choices[0].text).join("");
    expect(once.greedy_64_text.startsWith(text)).toBe(true);
    expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({
      ...{ route: "/v1/completions", status: 200, completionTokens: 24, gone: false },
    });
  });
});
