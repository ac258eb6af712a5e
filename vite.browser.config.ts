// The build for pages without a bundler: dependencies and shaders bundled, minified. It lies in
// dist/browser/, as far from the embedded model as the modules of dist/engine/ do.
import { defineConfig } from "vite";
import { dropTestParts } from "./scripts/test-parts-plugin.mjs";
import { compactShaders } from "./scripts/wgsl-plugin.mjs";

export default defineConfig({
  publicDir: false,
  plugins: [compactShaders(), dropTestParts()],
  // The "server" of this target is a browser's: nothing is added for Node, and `new URL(…, import.meta.url)`
  // stays as written.
  ssr: { target: "webworker", noExternal: true },
  build: {
    ssr: true,
    target: "es2023",
    minify: true,
    sourcemap: true,
    emptyOutDir: true,
    rolldownOptions: {
      // `npm run check` holds what comes of these to a size, code that two of them share counted once.
      input: { sirocco: "engine/index.ts", "model-worker": "engine/model-worker.ts" },
      output: {
        format: "esm",
        entryFileNames: "[name].js",
        // engine.js is what the page and its worker share: loading and answering, with all that they import.
        // The other chunks are fetched when they are first used.
        chunkFileNames: "[name].js",
        codeSplitting: {
          groups: [{ name: "engine", test: /\/engine\/(browser-platform|worker\/protocol)\.ts$/ }],
        },
      },
    },
  },
});
