// The build for pages without a bundler: dependencies and shaders bundled, minified. dist/browser/ is as deep
// as dist/engine/, so that the same relative address leads to the embedded model.
import { defineConfig } from "vite";
import { dropTestParts } from "./scripts/test-parts-plugin.mjs";
import { assembleWat } from "./scripts/wat-plugin.mjs";
import { compactShaders } from "./scripts/wgsl-plugin.mjs";

export default defineConfig({
  publicDir: false,
  plugins: [compactShaders(), assembleWat(), dropTestParts()],
  // A build for "servers" that are web workers: no Node polyfills, and `new URL(…, import.meta.url)` stays as
  // it is.
  ssr: { target: "webworker", noExternal: true },
  build: {
    ssr: true,
    target: "es2023",
    minify: true,
    sourcemap: true,
    emptyOutDir: true,
    rolldownOptions: {
      // `npm run check` limits their size (scripts/browser-bundle.mjs).
      input: {
        sirocco: "engine/index.ts",
        "model-worker": "engine/model-worker.ts",
        "hash-worker": "engine/hash-worker.ts",
        "cpu-worker": "engine/cpu-worker.ts",
      },
      output: {
        format: "esm",
        entryFileNames: "[name].js",
        // engine.js is what the page and its worker share: loading and answering, with all that they import.
        // The other chunks are fetched when they are first used.
        chunkFileNames: "[name].js",
        codeSplitting: {
          groups: [
            { name: "engine", test: /\/engine\/(browser-platform|worker\/(protocol|foreign-worker))\.ts$/ },
          ],
        },
      },
    },
  },
});
