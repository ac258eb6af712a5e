// `npm run bench -- constrained-174m`: the suite `constrained` on Mistral's shapes at a quarter of the width
// (174 M random weights, q4), with a vocabulary of 32,768 tokens.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findDrivers } from "../../scripts/drivers.mjs";
import { root, run } from "../../scripts/setup.mjs";
import { shapes } from "./peers/model.mjs";
import { writeCheckpoint } from "./peers/safetensors.mjs";
import { tokenizerOf } from "./vocabulary.mjs";

const V = 32768;
const { quarter } = shapes;
if (!quarter) throw new Error("expected the shape quarter");
const { drivers } = await findDrivers();
Object.assign(process.env, drivers.find(({ name }) => name === "lavapipe")?.env);
const folder = mkdtempSync(join(tmpdir(), "sirocco-constrained-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
writeCheckpoint(folder, { ...quarter, V });
writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(tokenizerOf(V)));
const loading = ["--model", folder, "--weights", "q4", "--context", "512", "--no-tune"];
const command = [join(root, "dist", "cli", "main.js"), "bench", "constrained", ...loading];
process.exitCode = await run(process.execPath, [...command, ...process.argv.slice(3)]);
