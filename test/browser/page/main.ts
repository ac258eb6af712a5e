// A page with nothing but the engine, for tests to call: `sirocco` is what the package exports.
import * as exported from "../../../engine/index.ts";
import { createLanguageModel } from "../../../engine/prompt-api.ts";

declare global {
  var sirocco: typeof exported & { createLanguageModel: typeof createLanguageModel };
}
globalThis.sirocco = { ...exported, createLanguageModel };
