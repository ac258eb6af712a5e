// `npm run bench -- NAME`: builds, then runs one measurement of bench/.
import { ensureBuild } from "./build.mjs";
import { ensureDependencies } from "./setup.mjs";

const measurements = {
  decode:
    "tokens/s of prefill and decode: npm run bench -- decode [SOURCE] [FORMAT]; the embedded model without",
  peers:
    "beside onnxruntime (WebGPU) and llama.cpp (Vulkan), same adapter, same weights, in turns; --help lists options",
  "full-size":
    "Mistral 7B's exact shapes: load as q4, memory against its bounds, 8 tokens (14.5 GB of temporary files; --layers N, --folder)",
  "two-layers": "full-size with two layers (1.4 GB)",
};

const [name = ""] = process.argv.slice(2);
if (!Object.hasOwn(measurements, name)) {
  console.log("npm run bench -- NAME\n");
  for (const [known, what] of Object.entries(measurements)) console.log(`  ${known.padEnd(12)} ${what}`);
  process.exitCode = name === "" || name === "--help" ? 0 : 2;
} else {
  await ensureDependencies();
  if (!(await ensureBuild({}))) process.exit(1);
  await import(`../bench/${name}.mjs`);
}
