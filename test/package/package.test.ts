// What `npm publish` would upload works in somebody else's folder: imports, types, the command, the embedded model.
import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureBuild } from "../../scripts/build.mjs";
import { findDrivers } from "../../scripts/drivers.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const app = mkdtempSync(join(tmpdir(), "sirocco-package-"));
const installed = join(app, "node_modules", "sirocco");

beforeAll(async () => {
  expect(await ensureBuild({ types: true }), "npm run build").toBe(true);
  // A shell, because npm and tar are scripts or absent from the PATH of execFile on Windows.
  await run("npm", ["pack", "--ignore-scripts", "--loglevel=error", "--pack-destination", app], {
    cwd: root,
    shell: true,
  });
  const tarball = readdirSync(app).find((name) => name.endsWith(".tgz")) ?? "npm pack made nothing";
  await run("tar", ["-xzf", tarball], { cwd: app });
  mkdirSync(dirname(installed));
  renameSync(join(app, "package"), installed);
  // Its dependencies, and nothing else of what is installed here: a devDependency that is imported would be missed.
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(installed, "package.json"), "utf8"),
  );
  for (const name of [...Object.keys({ ...dependencies, ...optionalDependencies }), "@webgpu/types"]) {
    mkdirSync(dirname(join(app, "node_modules", name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(app, "node_modules", name), "junction");
  }
  writeFileSync(join(app, "package.json"), JSON.stringify({ type: "module", private: true }));
});

afterAll(() => rmSync(app, { recursive: true, force: true }));

test("Node gets every name of the entry point, and a browser bundle gets the same", async () => {
  const names = Object.keys(await import("../../engine/index.ts")).sort();
  expect(names).toContain("loadModel");
  const program = `
    const [node, browser] = await Promise.all([import("sirocco"), import("./node_modules/sirocco/dist/engine/index.js")]);
    console.log(JSON.stringify([Object.keys(node).sort(), Object.keys(browser).sort()]));`;
  const [node, browser] = JSON.parse(await run(process.execPath, ["--input-type=module", "--eval", program]));
  expect(node).toEqual(expect.arrayContaining(names));
  expect(browser).toEqual(names);
});

test.each(["bundler", "nodenext"])("types resolve under %s, and are not any", async (resolution) => {
  const consumer = `${resolution}.ts`;
  writeFileSync(
    join(app, consumer),
    `import { loadModel, type Chunk, type LoadOptions, type Model } from "sirocco";
    const options: LoadOptions = { weights: "q4" };
    export async function main(): Promise<string> {
      const model: Model = await loadModel("folder", options);
      let text = "";
      for await (const chunk of model.generate("Once", { maxTokens: 2 })) text += (chunk satisfies Chunk).text;
      // @ts-expect-error: no such option
      await loadModel("folder", { wheights: "q4" });
      // @ts-expect-error: a string is no number
      model.contextLength satisfies string;
      return text;
    }`,
  );
  const options = {
    ...{
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      target: "ES2023",
      lib: ["ES2023", "DOM"],
      types: [],
    },
    ...{ module: resolution === "bundler" ? "ESNext" : "NodeNext", moduleResolution: resolution },
  };
  const project = join(app, `tsconfig.${resolution}.json`);
  writeFileSync(project, JSON.stringify({ compilerOptions: options, files: [consumer] }));
  await run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", project]);
});

test("it holds what runs and nothing else", () => {
  const files = readdirSync(installed, { recursive: true, encoding: "utf8" }).map((file) =>
    file.replaceAll("\\", "/"),
  );
  expect(files).toEqual(expect.arrayContaining(["LICENSE", "dist/weights/tiny-mistral/config.json"]));
  expect(
    files.filter((file) => /^(test|bench|weights|scripts|node_modules)\/|\.wgsl$|[^d]\.ts$/.test(file)),
  ).toEqual([]);
  const text = files
    .filter((file) => file.endsWith(".js"))
    .map((file) => readFileSync(join(installed, file), "utf8"));
  expect(text.filter((code) => code.includes(root))).toEqual([]);
});

test("its command runs", async () => {
  const cli = join(installed, "dist", "cli", "main.js");
  expect(await run(process.execPath, [cli, "--help"])).toMatch(/generate[\s\S]*chat/);
  const [driver] = (await findDrivers()).drivers;
  if (!driver) return; // no adapter on this machine; scripts/test.mjs has said so
  const args = [cli, "generate", "Once upon a time", "--max-tokens", "8"];
  const story = await run(process.execPath, args, { env: { ...process.env, ...driver.env } });
  expect(story.trim().length).toBeGreaterThan(8);
});

/** @throws with the output of the command, which is what one wants to read then */
async function run(
  command: string,
  args: string[],
  options: { cwd?: string; shell?: boolean; env?: NodeJS.ProcessEnv } = {},
) {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd: app, maxBuffer: 2 ** 26, ...options });
    return stdout;
  } catch (error) {
    const { message, stdout, stderr } = error as { message: string; stdout: string; stderr: string };
    throw new Error([message, stdout, stderr].filter(Boolean).join("\n"));
  }
}
