// `npm run bench -- NAME …`: builds, then runs a program of bench/dev, or else `sirocco bench` with these
// arguments.
import { join } from "node:path";
import { ensureBuild } from "./build.mjs";
import { ensureDependencies, root, run } from "./setup.mjs";

/** Programs for developers, not in the package: they generate checkpoints and run other engines. */
const programs = {
  "constrained-174m":
    "runs the suite `constrained` on 174 M random weights with a vocabulary of 32,768; takes the suite's options",
  "cpu-kernels":
    "prints how fast matrix products of the CPU device are on one thread, of each weight format, or of those named",
  firefox:
    "compares the built site in Firefox with nudges of the GPU's queue and without; --help lists options",
  formats: "compares q4a's time a byte of weights with q4's at 174 M parameters; --help lists options",
  peers:
    "compares with onnxruntime (WebGPU) and llama.cpp (Vulkan): same adapter, same weights; --cpu: with engines that compute on the CPU; --help lists options",
  "full-size":
    "loads Mistral 7B's exact shapes as q4, checks memory, makes 8 tokens (14.5 GB of temporary files; --layers N, --folder)",
  "full-size-cpu":
    "loads Mistral 7B's exact shapes in Q4_0 on the CPU, checks memory, and compares its speed with lavapipe's (4.1 GB of temporary files; --layers N, --threads N, --folder)",
  "two-layers": "full-size with two layers (1.4 GB)",
};

const [name = "--help", ...rest] = process.argv.slice(2);
await ensureDependencies();
if (!(await ensureBuild({}))) process.exit(1);
if (Object.hasOwn(programs, name)) {
  await import(`../bench/dev/${name}.mjs`);
} else {
  const command = [join(root, "dist", "cli", "main.js"), "bench", name, ...rest];
  process.exitCode = await run(process.execPath, command);
  if (name === "--help") {
    console.log("\nAlso, with npm run bench -- NAME:");
    for (const [known, what] of Object.entries(programs)) console.log(`  ${known.padEnd(12)} ${what}`);
  }
}
