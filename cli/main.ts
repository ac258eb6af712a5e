#!/usr/bin/env node
// The `sirocco` command: joins run() to the process.
import { withDriver } from "./driver.ts";
import { run } from "./run.ts";

const code = await run(process.argv.slice(2), {
  engine: async () => withDriver(await import("../engine/node.ts")),
  bench: async () => (await import("../bench/run.ts")).runSuites,
  server: () => import("../server/index.ts"),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  onInterrupt: (listener) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, listener);
    return () => {
      for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, listener);
    };
  },
});
// A second Ctrl-C must not wait for the GPU, nor a closed pipe for the rest of the answer.
process.stderr.write("", () => process.exit(code));
