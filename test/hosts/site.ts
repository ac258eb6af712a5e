// Builds and serves program.ts, beside the golden numbers: `golden/`.
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { assembleWat } from "../../scripts/wat-plugin.mjs";
import { serveFolder } from "../browser/chromium.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Site {
  /** A page that runs the program. */
  readonly url: string;
  /** The program's module on disk. */
  readonly module: string;
  close(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "sirocco-host-"));
  await build({
    configFile: false,
    plugins: [assembleWat()],
    worker: { format: "es", plugins: () => [assembleWat()] },
    root,
    base: "./",
    publicDir: false,
    logLevel: "error",
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "es2023",
      minify: false,
      // Deno has no document to preload modules with.
      modulePreload: false,
      rolldownOptions: {
        input: join(root, "test", "hosts", "program.ts"),
        output: { entryFileNames: "[name].js" },
      },
    },
  });
  const page = '<!doctype html><title>Checks</title><script type="module" src="./program.js"></script>';
  await writeFile(join(folder, "index.html"), page);
  await symlink(join(root, "test", "golden"), join(folder, "golden"), "junction");
  const { url, close } = await serveFolder(folder);
  return {
    url,
    module: join(folder, "program.js"),
    async close() {
      await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
