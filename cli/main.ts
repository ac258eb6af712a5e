#!/usr/bin/env node
import { exitCode } from "./context.ts";
// The `sirocco` command: run() with the process's streams and signals.
import { withDriver } from "./driver.ts";
import { DriverMessages, hideDriverNoise } from "./driver-noise.ts";
import { run } from "./run.ts";

const driver = new DriverMessages();
const code = await run(process.argv.slice(2), {
  engine: async () => {
    await hideDriverNoise(driver);
    return withDriver(await import("../engine/node.ts"));
  },
  bench: async () => (await import("../bench/run.ts")).runSuites,
  server: () => import("../server/index.ts"),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  onInterrupt: (listener) => {
    // A closing terminal, or a service manager, may send SIGHUP after another signal. It never counts as a
    // second Ctrl-C, which would quit at once.
    let pressed = false;
    const press = (): void => {
      pressed = true;
      listener();
    };
    const hangUp = (): void => {
      if (!pressed) press();
    };
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, press);
    process.on("SIGHUP", hangUp);
    return () => {
      for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, press);
      process.off("SIGHUP", hangUp);
    };
  },
});
if (code === exitCode.error) process.stderr.write(driver.warnings);
// Exits at once: a second Ctrl-C must not wait for the GPU, nor a closed pipe for the rest of the answer.
process.stderr.write("", () => process.exit(code));
