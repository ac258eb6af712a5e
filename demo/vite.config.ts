// The demo: `vite demo` serves it, `vite build demo` writes a static site that works under any path of any host.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const model = fileURLToPath(new URL("../weights/tiny-mistral", import.meta.url));

/**
 * No script but the site's own files, and none that text could become. Weights come from any HTTPS host, or from this
 * machine. The worker is a file of the site; `blob:` lets a bundler start it from one.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' https: http://localhost:* http://127.0.0.1:*",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** In the built page only: the development server injects scripts and styles of its own. */
const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "Content-Security-Policy", content: POLICY },
      injectTo: "head-prepend",
    },
  ],
};

/** The tiny model lies beside the scripts, where engine/index.ts looks for it: ../weights/tiny-mistral/. */
const embeddedModel: Plugin = {
  name: "embedded-model",
  apply: "build",
  generateBundle() {
    for (const name of readdirSync(model)) {
      const fileName = `weights/tiny-mistral/${name}`;
      this.emitFile({ type: "asset", fileName, source: readFileSync(`${model}/${name}`) });
    }
  },
};

export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: [contentSecurityPolicy, embeddedModel],
  worker: { format: "es" },
  server: { fs: { allow: [".."] } },
  build: {
    target: "es2023",
    outDir: "../dist-demo",
    emptyOutDir: true,
    // A data: URL is no file: the policy above, and a reader of the site, want files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
