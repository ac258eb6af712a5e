// --adapter-model: which adapters a command loads and uses, and where it says so.
import { expect, test } from "vitest";
import { adapterModels } from "../../cli/parse.ts";
import { outOfRange } from "../../engine/options/parameter.ts";
import { Session, sirocco } from "./fakes.ts";

const PIRATE = ["--adapter-model", "pirate=./adapters/p"];

test("the name is given, or the last part of the source", () => {
  for (const [given, name, source] of [
    ["pirate=./a/b", "pirate", "./a/b"],
    ["./a/b/", "b", "./a/b/"],
    ["me/pirate-lora@v1", "pirate-lora", "me/pirate-lora@v1"],
    ["https://h/x=1/y", "y", "https://h/x=1/y"],
    ["a=b=c", "a", "b=c"],
  ] as const)
    expect(adapterModels(given)).toEqual([{ name, source }]);
  expect(adapterModels("a:b:-.5=c")).toEqual([{ name: "a:b", source: "c", scale: -0.5 }]);
  for (const given of ["", "/", ".", "..", "a\n=b", "a:=b", "a:x=b", "a:1001=b", ":1=b", "a=", "a= ", "a:1="])
    expect(() => adapterModels(given), given).toThrow(/^--adapter-model: /);
});

test("names that are whole numbers would change places, so they are refused", async () => {
  for (const given of ["2=B", "0=B", "1:0.5=B", "./adapters/7"])
    expect(() => adapterModels(given, [{ name: "a", source: "A" }]), given).toThrow(
      `--adapter-model: expected a name that is no whole number, as in pirate=./adapters/pirate, got "${given}"`,
    );
  const given = ["z=Z", "v2=B", "1.5=C", "a=A"].flatMap((each) => ["--adapter-model", each]);
  const { engine } = await sirocco(["score", "Ahoy", ...given]);
  const names = Object.keys(engine.called("loadModel")[0]?.options.adapters ?? {});
  expect(names).toEqual(["z", "v2", "1.5", "a"]);
});

test("generate, chat and score load it, use it and say so", async () => {
  for (const [command, text, call] of [
    ["generate", "Ahoy", "generate"],
    ["chat", "Ahoy", "chat"],
    ["score", "Ahoy", "score"],
  ] as const) {
    const { code, stdout, engine } = await sirocco([command, text, "--json", ...PIRATE], { stdin: "" });
    expect([command, code]).toEqual([command, 0]);
    expect(engine.called("loadModel")[0]?.options.adapters).toEqual({ pirate: "./adapters/p" });
    expect(JSON.stringify(engine.called(call)[0])).toContain('"adapter":"pirate"');
    expect(JSON.parse(stdout)).toMatchObject({ adapter: "Paper GPU", adapterModel: "pirate" });
    const without = await sirocco([command, text, "--json"], { stdin: "" });
    expect(without.engine.called("loadModel")[0]?.options).not.toHaveProperty("adapters");
    expect(JSON.stringify(without.engine.called(call)[0])).not.toContain('"adapter"');
    expect(JSON.parse(without.stdout)).not.toHaveProperty("adapterModel");
  }
  const { stderr } = await sirocco(["score", "Ahoy", ...PIRATE]);
  expect(stderr).toMatch(/q4 with pirate on Paper GPU/);
});

test("classify has its labels with it", async () => {
  const args = ["classify", "Ahoy", "--labels", "a,b", ...PIRATE];
  const { stdout, engine } = await sirocco([...args, "--json"]);
  expect(engine.called("classify")[0]?.options.adapter).toBe("pirate");
  expect(JSON.parse(stdout).adapterModel).toBe("pirate");
  expect((await sirocco(args)).stderr).toContain("q4 with pirate on Paper GPU");
});

test("a chat's first line and /show name it", async () => {
  const session = new Session(["chat", "--no-history", ...PIRATE], { stderrTerminal: true });
  await session.see("the embedded tiny model with pirate, q4 on Paper GPU", "stderr");
  session.type("/show\n/exit\n");
  await session.exit;
  expect(session.stderr.split("the embedded tiny model with pirate").length).toBe(3);
});

test("several apply together, with scales; a server lists them by name", async () => {
  const scaled = [...PIRATE, "--adapter-model", "legal:0.5=me/legal"];
  for (const [command, call] of [
    ["generate", "generate"],
    ["chat", "chat"],
    ["score", "score"],
  ] as const) {
    const { stdout, stderr, engine } = await sirocco([command, "Ahoy", "--json", ...scaled], { stdin: "" });
    const adapter = ["pirate", { name: "legal", scale: 0.5 }];
    expect(engine.called("loadModel")[0]?.options.adapters).toEqual({
      pirate: "./adapters/p",
      legal: "me/legal",
    });
    expect(JSON.stringify(engine.called(call)[0]), stderr).toContain(`"adapter":${JSON.stringify(adapter)}`);
    expect(JSON.parse(stdout).adapterModel).toEqual(adapter);
  }
  expect((await sirocco(["score", "Ahoy", ...scaled])).stderr).toContain("q4 with pirate, legal × 0.5 on");
  const session = new Session([
    "serve",
    "--port",
    "0",
    "--json",
    ...PIRATE,
    "--adapter-model",
    "legal:0.5=me/legal",
  ]);
  await session.see("waiting", "stderr");
  expect(JSON.parse(session.stdout.split("\n")[0] ?? "")).toMatchObject({ adapters: ["pirate", "legal"] });
  const url = /http:\/\/\S+/.exec(session.stderr)?.[0] ?? "";
  const { data } = await (await fetch(`${url}/v1/models`)).json();
  expect(data.map(({ id }: { id: string }) => id)).toEqual(["tiny-mistral", "pirate", "legal"]);
  const scales = await (await fetch(`${url}/lora-adapters`)).json();
  expect(scales.map(({ path, scale }: { path: string; scale: number }) => [path, scale])).toEqual([
    ["pirate", 0],
    ["legal", 0.5],
  ]);
  session.interrupt();
  await session.exit;
});

test.each([
  [["--adapter-model", "tiny-mistral=x"], /expected another name than the model's/],
  [["--alias", "b", "--adapter-model", "a/b"], /expected another name than the model's/],
  [[...PIRATE, ...PIRATE], /expected another name than pirate/],
])("serve %j is refused before anything is loaded", async (args, says) => {
  const { code, stderr, engine } = await sirocco(["serve", ...args]);
  expect([code, engine.calls]).toEqual([2, []]);
  expect(stderr).toMatch(says);
});

test("serve: scales that the engine refuses end the start", async () => {
  const errors = { generate: outOfRange("adapter", 'expected the scale 1 for "d".') };
  const args = ["serve", "--port", "0", "--adapter-model", "d:0.5=x"];
  const { code, stderr } = await sirocco(args, { errors });
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/^sirocco: --adapter-model: expected the scale 1 for "d"\.$/m),
  ]);
});
