// Packs the package as `npm publish` would, and installs it into a folder with its dependencies, without
// network.
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { ensurePackage } from "../../scripts/build.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** @returns the folder of the installed package */
export async function installPackage(app: string): Promise<string> {
  expect(await ensurePackage(), "npm run build").toBe(true);
  // A shell, because npm and tar are scripts or absent from the PATH of execFile on Windows.
  await run("npm", ["pack", "--ignore-scripts", "--loglevel=error", "--pack-destination", app], {
    cwd: root,
    shell: true,
  });
  const tarball = readdirSync(app).find((name) => name.endsWith(".tgz")) ?? "npm pack made nothing";
  await run("tar", ["-xzf", tarball], { cwd: app });
  const installed = join(app, "node_modules", "sirocco");
  mkdirSync(dirname(installed));
  renameSync(join(app, "package"), installed);
  // Only its dependencies: importing a devDependency must fail.
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(installed, "package.json"), "utf8"),
  );
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) linkPackage(app, name);
  writeFileSync(join(app, "package.json"), JSON.stringify({ type: "module", private: true }));
  return installed;
}

/** Links a package that is installed here into the app. */
export function linkPackage(app: string, name: string): void {
  mkdirSync(dirname(join(app, "node_modules", name)), { recursive: true });
  symlinkSync(join(root, "node_modules", name), join(app, "node_modules", name), "junction");
}

/** The greedy continuation of "Once upon a time", which the examples print. */
export function goldenStory(): string {
  const file = readFileSync(join(root, "test/golden/tiny-mistral/02_once.json"), "utf8");
  return String(JSON.parse(file).greedy_64_text);
}

/** @throws Error with the output of the command */
export async function run(
  command: string,
  args: string[],
  options: { cwd: string; shell?: boolean; env?: NodeJS.ProcessEnv; timeout?: number },
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { maxBuffer: 2 ** 26, ...options });
    return stdout;
  } catch (error) {
    const { message, stdout, stderr } = error as { message: string; stdout: string; stderr: string };
    throw new Error([message, stdout, stderr].filter(Boolean).join("\n"));
  }
}
