// Firefox and Deno, with program.ts in them.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Host } from "../../scripts/hosts.mjs";
import { openFirefox } from "../browser/firefox.ts";
import type { Site } from "./site.ts";

type Program = typeof globalThis.host;

export interface Process {
  /** Indices of the checks that can run there. */
  readonly able: Awaited<ReturnType<Program["open"]>>;
  /** Rejects if the process ends. */
  run(...args: Parameters<Program["run"]>): ReturnType<Program["run"]>;
  /** Ends it, even if it does not answer. */
  close(): Promise<unknown>;
}

export async function startFirefox({ url }: Site): Promise<Process> {
  const firefox = await openFirefox();
  const page = await firefox.newPage();
  await page.goto(url);
  await page.waitForFunction(() => "host" in globalThis);
  return {
    able: await page.evaluate((url) => globalThis.host.open(url), url),
    run: (suite, index) => page.evaluate((suite, index) => globalThis.host.run(suite, index), suite, index),
    close: firefox.close,
  };
}

export async function startDeno({ url, module }: Site): Promise<Process> {
  // vite.config.ts sets it; without one there is no project "deno", and this does not run.
  const { path, env }: Host = JSON.parse(process.env["SIROCCO_DENO"] ?? "{}");
  const program = fileURLToPath(new URL("deno.ts", import.meta.url));
  const args = ["run", "--no-config", "--no-lock", "--allow-all", "--unstable-webgpu", program, module];
  const child = spawn(path, args, { env: { ...process.env, ...env } });
  let complaint = "";
  child.stderr.on("data", (data) => {
    complaint = (complaint + data).slice(-2000);
  });
  const ended = new Promise<never>((_, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => reject(new Error(`Deno ended, ${signal ?? code}: ${complaint}`)));
  });
  ended.catch(() => {});
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const call = async (method: keyof Program, ...args: unknown[]) => {
    child.stdin.write(`${JSON.stringify({ method, args })}\n`);
    const { value, done } = await Promise.race([lines.next(), ended]);
    return done ? ended : JSON.parse(value).result;
  };
  return {
    able: await call("open", url),
    run: (suite, index) => call("run", suite, index),
    async close() {
      child.kill("SIGKILL");
      await ended.catch(() => {});
    },
  };
}
