// Names of models.json in place of a source: `--model mistral`.
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { knownModel, knownModels } from "../weights/known-models.ts";
import type { Engine } from "./engine.ts";
import type { Output } from "./output.ts";

/** "tiny, smollm2, …": the first alias of each. */
export const modelNames = knownModels.map(({ aliases }) => aliases[0]).join(", ");

const EMBEDDED = new URL("../weights/tiny-mistral/", import.meta.url);

/** What a name of the list stands for. A file or folder of that name here is meant before. */
function namedSource(model: string, note: (line: string) => void): string {
  const known = knownModel(model);
  if (!known) return model;
  if (statSync(model, { throwIfNoEntry: false })) {
    note(
      `${model}: the ${model} in this folder, not the model of that name: ${known.source ?? "the embedded one"}`,
    );
    return model;
  }
  return known.source ?? fileURLToPath(EMBEDDED);
}

/** The engine, for which names stand for sources. */
export function withModelNames(engine: Engine, output: Output): Engine {
  const noted = new Set<string>();
  const note = (line: string): void => {
    if (!noted.has(line)) output.note(line);
    noted.add(line);
  };
  const from = (source: string | undefined): string | undefined =>
    source === undefined ? undefined : namedSource(source, note);
  return {
    loadModel: (source, options) => engine.loadModel(from(source), options),
    planModel: (source, options) => engine.planModel(from(source), options),
    describeModel: (source, options) => engine.describeModel(from(source), options),
    tuneModel: (source, options) => engine.tuneModel(from(source), options),
    quantizeModel: (source, options) => engine.quantizeModel(from(source), options),
    listAdapters: () => engine.listAdapters(),
  };
}
