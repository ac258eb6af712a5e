// Names of models.json in place of a source: `--model mistral`.
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { knownModel, knownModels } from "../weights/known-models.ts";
import type { Engine } from "./engine.ts";
import { UsageError } from "./errors.ts";
import type { Output } from "./output.ts";

/** The first alias of each. */
export const modelNames = knownModels.map(({ aliases }) => aliases[0]);

const EMBEDDED = new URL("../weights/tiny-mistral/", import.meta.url);

/**
 * What a name of the list stands for. A file or folder of that name here is meant before.
 * @throws UsageError for what is nearly a name, and nothing here
 */
function namedSource(model: string, note: (line: string) => void): string {
  const known = knownModel(model);
  const isHere = statSync(model, { throwIfNoEntry: false }) !== undefined;
  if (!known) {
    const near = isHere ? undefined : nearName(model);
    if (!near) return model;
    throw new UsageError(
      `--model: expected a name that \`sirocco models\` lists, or a path, got "${model}". Did you mean ${near}?`,
    );
  }
  if (isHere) {
    note(
      `${model}: the ${model} in this folder, not the model of that name: ${known.source ?? "the embedded one"}`,
    );
    return model;
  }
  return known.source ?? fileURLToPath(EMBEDDED);
}

/** Letters and digits: "mistral7b" is nearly "mistral-7b". */
const bare = (name: string): string => name.toLowerCase().replace(/[^a-z\d]/g, "");

/** The name that begins with a word of three letters or more, or that it begins with. */
function nearName(model: string): string | undefined {
  if (!/^[\w.-]{3,}$/.test(model)) return undefined;
  const word = bare(model);
  const isNear = (alias: string) => bare(alias).startsWith(word) || word.startsWith(bare(alias));
  const aliases = knownModels.flatMap(({ aliases }) => aliases);
  return word.length < 3
    ? undefined
    : (aliases.find((alias) => bare(alias) === word) ?? aliases.find(isNear));
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
    // The suites of the bench have sources of their own.
    planModel: (source, options) =>
      engine.planModel(typeof source === "object" ? source : from(source), options),
    describeModel: (source, options) => engine.describeModel(from(source), options),
    tuneModel: (source, options) => engine.tuneModel(from(source), options),
    quantizeModel: (source, options) => engine.quantizeModel(from(source), options),
    mergeModel: (source, options) => engine.mergeModel(from(source), options),
    listAdapters: () => engine.listAdapters(),
  };
}
