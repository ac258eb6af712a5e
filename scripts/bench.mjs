// `npm run bench -- NAME …`: builds, then runs a script of bench/, or `sirocco bench` with what was given.
import { join } from "node:path";
import { ensureBuild } from "./build.mjs";
import { ensureDependencies, root, run } from "./setup.mjs";

/** Measurements that are no suites of the command: they make checkpoints up, and run other engines. */
const scripts = {
  peers:
    "beside onnxruntime (WebGPU) and llama.cpp (Vulkan), same adapter, same weights, in turns; --help lists options",
  "full-size":
    "Mistral 7B's exact shapes: load as q4, memory against its bounds, 8 tokens (14.5 GB of temporary files; --layers N, --folder)",
  "two-layers": "full-size with two layers (1.4 GB)",
};

const [name = "--help", ...rest] = process.argv.slice(2);
await ensureDependencies();
if (!(await ensureBuild({}))) process.exit(1);
if (Object.hasOwn(scripts, name)) {
  await import(`../bench/dev/${name}.mjs`);
} else {
  const command = [join(root, "dist", "cli", "main.js"), "bench", name, ...rest];
  process.exitCode = await run(process.execPath, command);
  if (name === "--help") {
    console.log("\nAlso, with npm run bench -- NAME:");
    for (const [known, what] of Object.entries(scripts)) console.log(`  ${known.padEnd(12)} ${what}`);
  }
}
