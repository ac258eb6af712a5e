// `npm run bench -- formats`: time a byte of weights in one format against another, at Mistral's shapes at a
// quarter of the width (174 M parameters). The models are loaded side by side and measured in turns.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findDrivers } from "../../scripts/drivers.mjs";
import { writeGptq } from "./gptq.mjs";
import { shapes } from "./peers/model.mjs";
import { writeCheckpoint } from "./peers/safetensors.mjs";

const HELP = `npm run bench -- formats [options]

  --formats A,B    formats of weights; times are over those of the first (default q4,q4a). gptq and act-order
                   are checkpoints quantised with GPTQ, the second in act-order
  --shape NAME     ${Object.keys(shapes).join(" or ")} (default quarter: 174 M parameters)
  --rounds N       runs of each, in turns (default 5)
  --prompt N       tokens of the prompt (default 128)
  --decode N       decode steps (default 16)
  --adapter NAME   lavapipe or swiftshader (default lavapipe)

Variants of kernels are those that the adapter gets unmeasured.`;

const { values: options } = parseArgs({
  args: process.argv.slice(3),
  options: {
    formats: { type: "string", default: "q4,q4a" },
    shape: { type: "string", default: "quarter" },
    rounds: { type: "string", default: "5" },
    prompt: { type: "string", default: "128" },
    decode: { type: "string", default: "16" },
    adapter: { type: "string", default: "lavapipe" },
    help: { type: "boolean" },
  },
});
const shape = shapes[options.shape];
const { drivers } = await findDrivers();
const driver = drivers.find(({ name }) => name === options.adapter);
if (options.help || !shape || !driver) console.log(HELP);
else {
  Object.assign(process.env, driver.env);
  const folder = mkdtempSync(join(tmpdir(), "sirocco-formats-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await compare(folder, shape);
}

/** @param {string} folder @param {import("./mistral.mjs").Shape} shape */
async function compare(folder, shape) {
  const { loadModel } = await import("sirocco"); // the driver is named by now
  const length = Number(options.prompt);
  const steps = Number(options.decode);
  const contextLength = length + steps + 8;
  const models = [];
  for (const weights of options.formats.split(",")) {
    const quantised = weights === "gptq" || weights === "act-order";
    const source = join(folder, quantised ? weights : "floats");
    if (quantised) writeGptq(source, shape, weights === "act-order");
    else if (!existsSync(source)) writeCheckpoint(source, shape);
    const format = quantised ? "auto" : /** @type {"q4"} */ (weights);
    const started = performance.now();
    const model = await loadModel(source, { weights: format, contextLength, tune: false });
    console.error(`${weights}: loaded in ${((performance.now() - started) / 1000).toFixed(2)} s`);
    models.push({
      weights,
      model,
      prefill: /** @type {number[]} */ ([]),
      decode: /** @type {number[]} */ ([]),
    });
  }
  for (let round = 0; round <= Number(options.rounds); round++) {
    for (const { weights, model, prefill, decode } of models) {
      // Another prompt each time: no prefix of it is kept.
      const ids = Array.from({ length }, (_, i) => (round * 977 + i * 7919 + 3) % (shape?.V ?? 1));
      for await (const { finish } of model.generate(ids, {
        temperature: 0,
        maxTokens: steps + 1,
        ignoreEos: true,
      })) {
        if (!finish || round === 0) continue; // the first round compiles
        prefill.push(finish.prefillMs / length);
        decode.push(finish.decodeMs / steps);
        console.error(
          `round ${round}, ${weights}: ${prefill.at(-1)?.toFixed(2)}, ${decode.at(-1)?.toFixed(2)} ms a token`,
        );
      }
    }
  }
  console.log("weights, MB, ms a token: prefill, decode; time a byte over the first: prefill, decode");
  const [first] = models;
  for (const { weights, model, prefill, decode } of models) {
    const bytes = model.plan.weightBytes;
    const ratio = (/** @type {"prefill" | "decode"} */ pass) => {
      // Of each round, as its two runs meet the same load of the machine.
      const own = { prefill, decode }[pass];
      const perByte = own.map(
        (ms, i) => ms / bytes / ((first?.[pass][i] ?? 1) / (first?.model.plan.weightBytes ?? 1)),
      );
      return median(perByte).toFixed(3);
    };
    const [p, d] = [prefill, decode].map((all) => median(all).toFixed(2));
    console.log(
      `${weights}, ${(bytes / 1e6).toFixed(1)}, ${p}, ${d}; ${ratio("prefill")}, ${ratio("decode")}`,
    );
    model.dispose();
  }
}

/** @param {readonly number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
