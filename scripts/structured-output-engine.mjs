// The machine for JSON Schema of @huggingface/transformers-structured-output is bundled, and nothing else of
// that package: its entry needs all of Transformers.js.
import { fileURLToPath } from "node:url";

/** @type {Record<string, string>} for Vite's `resolve.alias` */
export const structuredOutputEngine = {
  "structured-output-engine": fileURLToPath(
    new URL(
      "../node_modules/@huggingface/transformers-structured-output/src/engine/json.ts",
      import.meta.url,
    ),
  ),
};
