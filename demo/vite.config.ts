// The demo: `vite demo` serves it, `vite build demo` writes a static site that works under any path of any
// host.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { assembleWat } from "../scripts/wat-plugin.mjs";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
 * No script but the site's own files, and none that text could become. 'wasm-unsafe-eval' allows WebAssembly,
 * which computes where there is no GPU. Weights come from any HTTPS host, or
 * from this machine. The worker is a file of the site; `blob:` lets a bundler start it from one.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' https: http://localhost:* http://127.0.0.1:*",
  "manifest-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** What a host has to send for threads that share memory (https://web.dev/articles/coop-coep). */
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

const DESCRIPTION = "Chat with a language model on your own machine.";

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

/** Makes the page installable (https://www.w3.org/TR/appmanifest). */
const manifest: Plugin = {
  name: "web-app-manifest",
  apply: "build",
  generateBundle() {
    const icon = readFileSync(here("icon.svg"), "utf8");
    this.emitFile({ type: "asset", fileName: "icon.svg", source: icon });
    const icons = ["any", "maskable"].map((purpose) => ({
      ...{ src: "./icon.svg", type: "image/svg+xml", sizes: "any", purpose },
    }));
    this.emitFile({
      type: "asset",
      fileName: "manifest.webmanifest",
      source: JSON.stringify({
        ...{ name: "Sirocco", short_name: "Sirocco", description: DESCRIPTION, lang: "en" },
        ...{ id: "./", start_url: "./", scope: "./", display: "standalone", icons },
        ...{ background_color: "#fffdfa", theme_color: "#fffdfa" },
      }),
    });
  },
  transformIndexHtml: () => [
    { tag: "link", attrs: { rel: "manifest", href: "./manifest.webmanifest" }, injectTo: "head" },
  ],
};

/** What service-worker.ts keeps for visits without a network: all but the tiny model's weights. */
const siteFiles: Plugin = {
  name: "site-files",
  apply: "build",
  generateBundle(_, bundle) {
    const files = Object.keys(bundle).filter((name) => !/\.safetensors$|\.map$|^service-worker/.test(name));
    this.emitFile({
      type: "asset",
      fileName: "site-files.json",
      source: JSON.stringify([
        "./",
        ...files.filter((name) => name !== "index.html").map((name) => `./${name}`),
      ]),
    });
  },
};

export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: [contentSecurityPolicy, manifest, siteFiles, assembleWat()],
  worker: { format: "es", plugins: () => [assembleWat()] },
  server: { fs: { allow: [".."] }, headers: ISOLATION },
  preview: { headers: ISOLATION },
  build: {
    target: "es2023",
    outDir: "../dist-demo",
    emptyOutDir: true,
    // A data: URL is no file: the policy above, and a reader of the site, want files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The packages whose code is in the site, with their licences.
    license: { fileName: "third-party-licenses.md" },
    rolldownOptions: {
      input: { index: here("index.html"), "service-worker": here("service-worker.ts") },
      // At the root, and under one name, as what it is in charge of goes by that.
      output: {
        entryFileNames: ({ name }) => (name === "service-worker" ? "[name].js" : "assets/[name]-[hash].js"),
      },
    },
    reportCompressedSize: false,
  },
});
