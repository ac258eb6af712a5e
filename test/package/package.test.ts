// The packed package works in another folder: imports, types, the command, the embedded model.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findDeno } from "../../scripts/deno.mjs";
import { findDrivers } from "../../scripts/drivers.mjs";
import { unshippedLinks } from "../../scripts/package-pages.mjs";
import { sourceFiles } from "../../scripts/source-files.mjs";
import { goldenStory, installPackage, linkPackage, root, run } from "./install.ts";

const app = mkdtempSync(join(tmpdir(), "sirocco-package-"));
let installed: string;

beforeAll(async () => {
  installed = await installPackage(app);
  linkPackage(app, "@webgpu/types");
});

afterAll(() => rmSync(app, { recursive: true, force: true }));

/** @param timeout milliseconds; 0: none */
const node = (args: string[], env: Readonly<Record<string, string>> = {}, timeout = 0) =>
  run(process.execPath, args, { cwd: app, env: { ...process.env, ...env }, timeout });

test("Node gets every name of the entry point, and a browser bundle and the browser's file get the same", async () => {
  const names = Object.keys(await import("../../engine/index.ts")).sort();
  expect(names).toContain("loadModel");
  const entries = ["sirocco", "./node_modules/sirocco/dist/engine/index.js", "sirocco/browser"];
  const program = `
    const entries = await Promise.all(${JSON.stringify(entries)}.map((name) => import(name)));
    console.log(JSON.stringify(entries.map((entry) => Object.keys(entry).sort())));`;
  const [all, bundled, single] = JSON.parse(await node(["--input-type=module", "--eval", program]));
  expect(all).toEqual(expect.arrayContaining(names));
  expect(bundled).toEqual(names);
  expect(single).toEqual(names);
});

/** Type-checks a program against the installed package. */
async function check(name: string, resolution: string, program: string, more: object = {}): Promise<void> {
  writeFileSync(join(app, `${name}.ts`), program);
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
    ...more,
  };
  const project = join(app, `tsconfig.${name}.json`);
  writeFileSync(project, JSON.stringify({ compilerOptions: options, files: [`${name}.ts`] }));
  await node([join(root, "node_modules", "typescript", "bin", "tsc"), "-p", project]);
}

test.each(["bundler", "nodenext"])("types resolve under %s, and are not any", (resolution) =>
  check(
    resolution,
    resolution,
    `import { loadModel, type Chunk, type LoadOptions, type Model } from "sirocco";
    import { Ai, type AiTextGenerationOutput } from "sirocco/workers-ai";
    import { createLanguageModel, type LanguageModelSession } from "sirocco/prompt-api";
    const options: LoadOptions = { weights: "q4" };
    export async function main(): Promise<string> {
      const model: Model = await loadModel("folder", options);
      let text = "";
      for await (const chunk of model.generate("Once", { temperature: 0, maxTokens: 2 })) text += (chunk satisfies Chunk).text;
      const messages = [{ role: "user", content: "Hi" }] as const;
      const completion = await model.openai.chat.completions.create({ messages });
      text += completion.choices[0]?.message.content;
      for await (const chunk of await model.openai.chat.completions.create({ messages, stream: true }))
        text += chunk.choices[0]?.delta.content;
      // @ts-expect-error: no such parameter
      await model.openai.chat.completions.create({ messages, functions: [] });
      const ai = new Ai(model);
      text += (await ai.run("@cf/name", { messages: [...messages, { role: text, content: text }] })).response;
      for await (const bytes of (await ai.run("@cf/name", { prompt: "Hi", stream: true })).values())
        text += (bytes satisfies Uint8Array).length;
      const over: AiTextGenerationOutput = await new Ai({ baseURL: "http://localhost/" }).run("@cf/name", { prompt: "Hi" });
      // @ts-expect-error: no such parameter
      await ai.run("@cf/name", { messages, functions: [] });
      // @ts-expect-error: a prompt or messages
      await ai.run("@cf/name", { max_tokens: 5 });
      // @ts-expect-error: no such option
      await loadModel("folder", { wheights: "q4" });
      // @ts-expect-error: a string is no number
      model.contextLength satisfies string;
      const LanguageModel = createLanguageModel({ model });
      const session: LanguageModelSession = await LanguageModel.create({ initialPrompts: [{ role: "system", content: "Hi" }] });
      text += await session.prompt("Hi", { responseConstraint: { type: "object" } });
      // @ts-expect-error: no such role
      await session.prompt([{ role: "tool", content: "Hi" }]);
      return text + over.usage.total_tokens;
    }`,
  ),
);

// After the tests above, which show that nothing else needs @ai-sdk/provider. Its own types need
// skipLibCheck.
test("types of sirocco/ai-sdk are those of the SDK", async () => {
  linkPackage(app, "@ai-sdk/provider");
  await check(
    "ai-sdk",
    "nodenext",
    `import type { LanguageModelV3 } from "@ai-sdk/provider";
    import { loadModel } from "sirocco";
    import { createSirocco, sirocco } from "sirocco/ai-sdk";
    const model = await loadModel();
    export const models: LanguageModelV3[] = [sirocco(model), createSirocco(model)("name")];
    // @ts-expect-error: not any
    sirocco(model) satisfies string;`,
    { skipLibCheck: true },
  );
});

test("it holds what runs and nothing else", () => {
  const files = readdirSync(installed, { recursive: true, encoding: "utf8" }).map((file) =>
    file.replaceAll("\\", "/"),
  );
  expect(files).toEqual(
    expect.arrayContaining(["LICENSE", "dist/weights/tiny-mistral/config.json", "dist/page/index.html"]),
  );
  expect(
    files.filter((file) =>
      /^(test|weights|scripts|node_modules)\/|\/node_modules\/|\.wgsl$|[^d]\.ts$|package-lock/.test(file),
    ),
  ).toEqual([]);
  const scripts = files.filter((file) => file.startsWith("dist/") && file.endsWith(".js"));
  // A file with re-exports only has no source map; the bundler's own code and the page have none.
  const unmapped = scripts.filter(
    (file) => !files.includes(`${file}.map`) && !/\/rolldown-runtime\.js$|^dist\/page\//.test(file),
  );
  const own = (file: string) =>
    readFileSync(join(installed, file), "utf8").replace(
      /^(import|export) [^;]* from "[^"]*";$|^export \{[^}]*\};$/gm,
      "",
    );
  expect(unmapped).toContain("dist/engine/index.js");
  expect(unmapped.filter((file) => own(file).trim() !== "")).toEqual([]);
  const text = scripts.map((file) => readFileSync(join(installed, file), "utf8"));
  expect(text.filter((code) => code.includes(root))).toEqual([]);
});

test("code of other packages that is bundled comes with its licence: in the page, and nowhere else", () => {
  const notices = readFileSync(join(installed, "dist", "page", "third-party-licenses.md"), "utf8");
  const named = [...notices.matchAll(/^## (\S+) - [\d.]+ \(.+\)$/gm)].map(([, name]) => name);
  // vite.config.ts is no part of the page.
  const pageFiles = sourceFiles("demo").filter((file) => !file.endsWith("vite.config.ts"));
  const imported = pageFiles.flatMap((file) =>
    [
      ...readFileSync(join(root, file), "utf8").matchAll(
        /^(?:import|\} from)\b.*"((?:@[\w-]+\/)?[a-z][\w.-]*)/gm,
      ),
    ].map(([, name]) => name),
  );
  expect(imported).toEqual(expect.arrayContaining(["lit", "highlight.js", "katex"]));
  expect(named).toEqual(expect.arrayContaining([...new Set(imported)]));
  expect(notices.match(/copyright \(c\)/gi)?.length).toBeGreaterThan(5);
  const dist = join(installed, "dist");
  const bundles = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".map"),
  );
  const foreign = bundles.flatMap((file) =>
    (JSON.parse(readFileSync(join(dist, file), "utf8")) as { sources: string[] }).sources.filter((source) =>
      source.includes("node_modules"),
    ),
  );
  expect(bundles.length).toBeGreaterThan(100);
  expect(foreign).toEqual([]);
});

test("its pages link to what it holds, and to addresses", () => {
  const files = readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(installed, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
  expect(files).toEqual(expect.arrayContaining(["README.md", "docs/api.md", "server/README.md"]));
  expect(unshippedLinks(files, (file) => readFileSync(join(installed, file), "utf8"))).toEqual([]);
  expect(unshippedLinks(["README.md"]).length, "README.md alone").toBeGreaterThan(5);
});

test("its command and the Node example run", async () => {
  const cli = join(installed, "dist", "cli", "main.js");
  expect(await node([cli, "--help"])).toMatch(/generate[\s\S]*chat/);
  const [driver] = (await findDrivers()).drivers;
  if (!driver) return; // no adapter on this machine; scripts/test.mjs has said so
  const story = await node([cli, "generate", "Once upon a time", "--max-tokens", "8"], driver.env);
  expect(story.trim().length).toBeGreaterThan(8);
  cpSync(join(root, "examples", "node"), join(app, "example"), { recursive: true });
  const told = await node([join(app, "example", "main.js")], driver.env);
  expect(told.length).toBeGreaterThan(40);
  expect(goldenStory().startsWith(told), told).toBe(true);
});

test("any number of the CPU's threads gives the same tokens; they end with the program", async () => {
  const program = `
    import { loadModel } from "sirocco";
    const texts = await Promise.all([0, 1, 2, 5].map(async (threads) => {
      const model = await loadModel(undefined, { adapter: "cpu", threads, weights: "q4" });
      let text = model.adapter.name;
      for await (const chunk of model.generate("Once upon a time", { temperature: 0, maxTokens: 24 }))
        text += chunk.text;
      return text; // without dispose
    }));
    console.log(JSON.stringify(texts));`;
  const texts: string[] = JSON.parse(await node(["--input-type=module", "--eval", program], {}, 60_000));
  const stories = texts.map((text) => text.split(")")[1]!);
  expect(texts.map((text) => /\d+ threads?/.exec(text)?.[0])).toEqual([
    ...["1 thread", "1 thread", "2 threads", "5 threads"],
  ]);
  expect(stories[0]!.length).toBeGreaterThan(50);
  expect(new Set(stories).size, texts.join("\n")).toBe(1);
});

test("the Deno example runs, on Deno's own WebGPU", async () => {
  const deno = findDeno((await findDrivers()).drivers);
  if (!("path" in deno)) return; // no Deno on this machine; scripts/test.mjs has said so
  const folder = join(app, "deno-example");
  cpSync(join(root, "examples", "deno"), folder, { recursive: true });
  const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const [command, ...args] = String(scripts.start).split(" ");
  expect(command).toBe("deno");
  const told = await run(deno.path, args, { cwd: folder, env: { ...process.env, ...deno.env } });
  expect(told.length).toBeGreaterThan(40);
  expect(goldenStory().startsWith(told), told).toBe(true);
});
