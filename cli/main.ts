#!/usr/bin/env node
// The `sirocco` command: joins run() to the process.
import { ensureDriver } from "./driver.ts";
import type { Engine } from "./engine.ts";
import { run } from "./run.ts";

const code = await run(process.argv.slice(2), {
  engine: openEngine,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  onInterrupt: (listener) => {
    process.on("SIGINT", listener);
    return () => process.off("SIGINT", listener);
  },
});
// A second Ctrl-C must not wait for the GPU, nor a closed pipe for the rest of the answer.
process.stderr.write("", () => process.exit(code));

async function openEngine(): Promise<Engine> {
  const engine = await import("../engine/node.ts");
  await ensureDriver(engine);
  return engine;
}
