// Adapters that clients upload, with a fake model: what is kept, what is refused, what a restart finds.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CheckpointError, type Model } from "../../engine/node.ts";
import { type FinetuneLimits, Finetunes } from "../../server/finetunes.ts";
import type { ServiceOptions } from "../../server/index.ts";
import { readParts, textOf } from "../../server/multipart.ts";
import type { Source } from "../../weights/node.ts";
import { fakeModel } from "../fake-model.ts";
import { serving } from "./serving.ts";

const ACCOUNT = "/client/v4/accounts/0123abcd/ai";
const RUN = `${ACCOUNT}/run/@cf/mistral/mistral-7b-instruct-v0.2-lora`;
const MODEL = "@cf/mistral/mistral-7b-instruct-v0.2-lora";
const CONFIG = "adapter_config.json";
const TENSORS = "adapter_model.safetensors";
const CREATED = { name: "pirate", model: MODEL, description: "talks" };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sirocco-adapters-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A model that loads what does not say "bad". */
function loading(loaded: readonly string[] = []) {
  const adapters = [...loaded];
  const fake = fakeModel();
  const addAdapter = async (name: string, source: Source) => {
    const texts = await Promise.all([CONFIG, TENSORS].map(async (file) => source.read(file)));
    if (texts.some((bytes) => Buffer.from(bytes).includes("bad")))
      throw new CheckpointError(`${source.name}: expected better.`);
    adapters.push(name);
  };
  Object.assign(fake.model, { adapters, addAdapter } as Partial<Model>);
  return { ...fake, adapters };
}

async function serve({
  limits = {},
  loaded = [],
  reserved = ["paper"],
  ...options
}: Omit<Partial<ServiceOptions>, "limits"> & {
  readonly limits?: Partial<FinetuneLimits>;
  readonly loaded?: readonly string[];
  readonly reserved?: readonly string[];
} = {}) {
  const { model, calls, adapters } = loading(loaded);
  const notes: string[] = [];
  const finetunes = await Finetunes.open(model, folder, reserved, (text) => notes.push(text), limits);
  const server = await serving(model, { finetunes, ...options });
  const send = async (path: string, body?: unknown) => {
    const response = await (body === undefined ? server.get(path) : server.post(path, body));
    return { status: response.status, ...(await response.json()) };
  };
  const upload = async (id: string, name: string, bytes: string, more: Record<string, string> = {}) => {
    const body = new FormData();
    for (const [field, text] of Object.entries({ file_name: name, ...more })) body.set(field, text);
    body.set("file", new Blob([bytes]), name);
    const path = `${ACCOUNT}/finetunes/${encodeURIComponent(id)}/finetune-assets`;
    const response = await fetch(server.url + path, { method: "POST", body });
    return { status: response.status, ...(await response.json()) };
  };
  const create = async (given: object = CREATED) => send(`${ACCOUNT}/finetunes`, given);
  return { ...server, model, calls, adapters, notes, send, upload, create };
}

/** All files below the folder, without the ids. */
const files = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map(({ name }) => name)
    .sort();
const KEPT = [CONFIG, TENSORS, "finetune.json"];

test("created, uploaded in two files, listed, used by name and by id, and there after a restart", async () => {
  const { create, upload, send, calls } = await serve();
  const { status, success, result } = await create({ ...CREATED, public: false });
  expect([status, success, result]).toMatchObject([200, true, { ...CREATED, public: false }]);
  expect(result.id).toMatch(/^[\da-f-]{36}$/);
  expect(await upload(result.id, TENSORS, "tensors")).toMatchObject({ status: 200, success: true });
  const early = await send(RUN, { prompt: "Hi", raw: "true", lora: "pirate" });
  expect([early.status, early.errors[0].code]).toEqual([400, 3039]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const last = await upload("pirate", CONFIG, "{}");
  expect([last.status, { ...last.result, modified_at: result.modified_at }]).toEqual([200, result]);
  expect(Date.parse(last.result.modified_at)).toBeGreaterThan(Date.parse(result.created_at));
  expect(files()).toEqual(KEPT);
  expect((await send(`${ACCOUNT}/finetunes/`)).result).toEqual([[last.result]]);
  const uses = [
    { prompt: "Hi", raw: "true", lora: "pirate" },
    { messages: [{ role: "user", content: "Hi" }], raw: "true", lora: result.id },
    { prompt: "Hi" },
  ];
  for (const use of uses) expect((await send(RUN, use)).status).toBe(200);
  expect(calls.map(({ options }) => options.adapter)).toEqual(["pirate", "pirate", undefined]);
  expect(calls.map(({ prompt }) => prompt)).toEqual(["Hi", "Hi", "Hi"]);

  writeFileSync(join(folder, result.id, "left.part"), "");
  const again = await serve();
  expect((await again.send(`${ACCOUNT}/finetunes`)).result).toEqual([[last.result]]);
  expect([again.adapters, again.notes, files()]).toEqual([["pirate"], [], KEPT]);
  expect((await again.send(RUN, { prompt: "Hi", lora: result.id })).status).toBe(200);
  expect(again.calls[0]?.options.adapter).toBe("pirate");
});

test("a finetune's files do not change once both are there", async () => {
  const { create, upload } = await serve();
  await create();
  const sent = [upload("pirate", TENSORS, "tensors"), upload("pirate", CONFIG, "{}")];
  expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([200, 200]);
  const { status, errors } = await upload("pirate", CONFIG, "{}");
  expect([status, errors[0].message]).toEqual([400, expect.stringMatching(/"pirate" has both files/)]);
});

test("an adapter that cannot be loaded is not kept, and may be replaced", async () => {
  const { create, upload, adapters } = await serve();
  await create();
  await upload("pirate", TENSORS, "bad tensors");
  const { status, errors } = await upload("pirate", CONFIG, "{}");
  expect([status, errors]).toEqual([
    400,
    [{ code: 5006, message: "pirate: expected better. Both files were removed: upload both again." }],
  ]);
  expect([files(), adapters]).toEqual([["finetune.json"], []]);
  await upload("pirate", TENSORS, "tensors");
  expect((await upload("pirate", CONFIG, "{}")).status).toBe(200);
  expect(adapters).toEqual(["pirate"]);
});

describe("refused, and nothing is written", () => {
  test.each<[string, object, RegExp]>([
    ["a path for a name", { name: "../pirate" }, /^name: expected 1 to 100 of letters.* "..\/pirate"/],
    [
      "the name of a model of Cloudflare",
      { name: MODEL },
      /^name: .* not begin with @cf\/ or @hf\/.*, got "@cf/,
    ],
    ["no name", { name: undefined }, /^name: .* got nothing/],
    ["a name of other lines", { name: "a\nb" }, /^name/],
    ["a number for a model", { model: 5 }, /^model: expected a text, got 5/],
    [
      "a long description",
      { description: "x".repeat(1001) },
      /^description: expected a text of at most 1000/,
    ],
    ["a field that it lacks", { rank: 8 }, /^rank: expected none, got one/],
    ["one for everyone", { public: true }, /^public: expected none, got one/],
    ["the name of the model", { name: "paper" }, /^name: expected one that is free, got "paper"/],
    ["the name of an adapter", { name: "given" }, /^name: expected one that is free/],
  ])("create: %s", async (_, given, message) => {
    const { create } = await serve({ loaded: ["given"] });
    const { status, errors } = await create({ ...CREATED, ...given });
    expect([status, errors[0].message]).toEqual([400, expect.stringMatching(message)]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a name that is taken, and more than are kept", async () => {
    const { create } = await serve({ limits: { count: 2 } });
    const { result } = await create();
    for (const name of ["pirate", result.id])
      expect((await create({ ...CREATED, name })).errors[0].message).toMatch(/one that is free/);
    expect((await create({ ...CREATED, name: "legal" })).status).toBe(200);
    const { status, errors } = await create({ ...CREATED, name: "third" });
    expect([status, errors[0].message]).toEqual([400, expect.stringMatching(/at most 2 finetunes/)]);
  });

  test.each<[string, string, string, number, RegExp]>([
    ["a path", "../../adapter_config.json", "{}", 400, /^file_name: expected adapter_config.json or/],
    ["an absolute path", "/etc/passwd", "{}", 400, /^file_name/],
    ["a pickle", "adapter_model.bin", "tensors", 400, /^file_name/],
    ["a long name", "x".repeat(5000), "{}", 400, /^file_name: expected at most 100 bytes/],
    ["a large file", TENSORS, "x".repeat(2 ** 17), 413, /at most 66536 bytes/],
  ])("upload: %s", async (_, name, bytes, status, message) => {
    const { create, upload } = await serve({ limits: { fileBytes: 1000 } });
    await create();
    const answer = await upload("pirate", name, bytes);
    expect([answer.status, answer.errors[0].message]).toEqual([status, expect.stringMatching(message)]);
    expect(files()).toEqual(["finetune.json"]);
  });

  test("upload: other fields, other finetunes, other bodies", async () => {
    const { create, upload, post } = await serve();
    await create();
    expect((await upload("pirate", CONFIG, "{}", { other: "x" })).errors[0].message).toMatch(/^other: /);
    for (const id of ["legal", "../pirate", ".."]) {
      const { status, errors } = await upload(id, CONFIG, "{}");
      // The client resolves "..": there is no such route.
      expect([id, status, errors[0].code]).toEqual([id, 404, id === ".." ? 7000 : 5006]);
    }
    const path = `${ACCOUNT}/finetunes/pirate/finetune-assets/`;
    const head = '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n';
    const form = { headers: { "Content-Type": "multipart/form-data; boundary=b" } };
    for (const [body, init, status] of [
      ["{}", {}, 415],
      [`${head}cut off`, form, 400],
      [`${head}whole, without a name\r\n--b--`, form, 400],
      [`${head}twice\r\n${head}twice\r\n--b--`, form, 400],
      ["--b--", form, 400],
      ["", form, 400],
    ] as const)
      expect([body, (await post(path, body, init)).status]).toEqual([body, status]);
    expect(files()).toEqual(["finetune.json"]);
  });

  test("lora: an unknown one", async () => {
    const { send } = await serve({ loaded: ["given"] });
    const { status, errors } = await send(RUN, { prompt: "Hi", lora: "../given" });
    expect([status, errors]).toEqual([
      400,
      [{ code: 5006, message: 'lora: expected one of "given", got "../given".' }],
    ]);
  });

  test("without a key", async () => {
    const { send, create } = await serve({ keys: ["secret"] });
    expect((await create()).status).toBe(401);
    expect((await send(`${ACCOUNT}/finetunes`)).status).toBe(401);
  });
});

test("without a folder nothing is kept; adapters of the server are public", async () => {
  const { model } = loading(["given"]);
  const { get, post } = await serving(model);
  for (const response of [await get(`${ACCOUNT}/finetunes`), await post(`${ACCOUNT}/finetunes`, CREATED)]) {
    const { errors } = await response.json();
    expect([response.status, errors[0].message]).toEqual([501, expect.stringMatching(/--adapter-dir/)]);
  }
  const { result } = await (await get(`${ACCOUNT}/finetunes/public`)).json();
  expect(result).toMatchObject([{ id: "given", name: "given", model: "paper", public: true }]);
});

test("a restart leaves alone what it cannot use", async () => {
  const first = await serve();
  const { result } = await first.create();
  for (const file of [CONFIG, TENSORS]) writeFileSync(join(folder, result.id, file), "bad");
  const other = "00000000-0000-4000-8000-000000000000";
  mkdirSync(join(folder, other));
  writeFileSync(join(folder, other, "finetune.json"), JSON.stringify({ ...result, name: "../x", id: other }));
  mkdirSync(join(folder, "mine"));
  const { notes, send, upload, adapters } = await serve();
  expect(adapters).toEqual([]);
  expect(notes.sort()).toEqual(
    [
      `${join(folder, other)}: expected finetune.json of an adapter, got none that can be read`,
      `${join(folder, result.id)}: pirate: expected better.`,
    ].sort(),
  );
  const used = await send(RUN, { prompt: "Hi", lora: "pirate" });
  expect([used.status, used.errors]).toEqual([
    400,
    [
      {
        code: 5006,
        message: 'lora: expected a finetune that this server can use, got "pirate". pirate: expected better.',
      },
    ],
  ]);
  for (const file of [CONFIG, TENSORS]) {
    const { status, errors } = await upload("pirate", file, "good");
    expect([status, errors[0].message]).toEqual([
      400,
      'file: expected none, as this server cannot use "pirate", and its files stay. Create another finetune. pirate: expected better.',
    ]);
    expect(readFileSync(join(folder, result.id, file), "utf8")).toBe("bad");
  }
});

test.each([
  ["another name of the model", { reserved: ["paper", "pirate"] }, ["legal"]],
  ["an adapter of the server", { loaded: ["pirate"] }, ["pirate", "legal"]],
])("a restart leaves alone a finetune whose name is now that of %s", async (_, options, adapters) => {
  const first = await serve();
  const { result } = await first.create();
  await first.create({ ...CREATED, name: "legal" });
  for (const name of ["pirate", "legal"])
    for (const file of [CONFIG, TENSORS]) await first.upload(name, file, "{}");
  for (const isWhole of [true, false]) {
    if (!isWhole) rmSync(join(folder, result.id, CONFIG));
    const again = await serve(options);
    const reason = 'name: expected one that neither the model nor another adapter has, got "pirate".';
    expect(again.notes).toEqual([`${join(folder, result.id)}: ${reason}`]);
    expect(again.adapters).toEqual(adapters);
    expect((await again.send(RUN, { prompt: "Hi", lora: "pirate" })).errors[0].message).toContain(reason);
    expect((await again.upload("pirate", CONFIG, "{}")).errors[0].message).toContain(reason);
  }
  expect((await serve()).adapters).toEqual(["legal"]);
});

test("a restart names a finetune of an earlier version that has the name of a model", async () => {
  const first = await serve();
  const { result } = await first.create();
  for (const file of [CONFIG, TENSORS]) await first.upload("pirate", file, "{}");
  const path = join(folder, result.id, "finetune.json");
  const name = "@cf/mine/pirate";
  writeFileSync(path, readFileSync(path, "utf8").replace('"pirate"', JSON.stringify(name)));
  const again = await serve();
  expect(again.notes).toEqual([expect.stringMatching(/: name: expected one that does not begin with @cf\//)]);
  expect((await again.send(`${ACCOUNT}/finetunes`)).result[0]).toMatchObject([{ name }]);
  expect((await again.send(RUN, { prompt: "Hi", lora: name })).errors[0].message).toContain("@cf/ or @hf/");
});

test("a failure of the server removes only the file that came last, which may be sent again", async () => {
  const { create, upload, model, adapters } = await serve();
  await create();
  const { addAdapter } = model;
  model.addAdapter = async () => {
    throw new Error("Out of paper.");
  };
  await upload("pirate", TENSORS, "tensors");
  expect((await upload("pirate", CONFIG, "{}")).status).toBe(500);
  expect(files()).toEqual([TENSORS, "finetune.json"]);
  model.addAdapter = addAdapter;
  expect((await upload("pirate", CONFIG, "{}")).status).toBe(200);
  expect([files(), adapters]).toEqual([KEPT, ["pirate"]]);
});

test("a form that arrives in pieces of any length", async () => {
  const form = [
    ...["before", "--a-b", 'Content-Disposition: form-data; name="file_name"', "", "x\r\n--a-\r\n--a-c"],
    ...[
      "--a-b",
      'content-type: text/plain\r\ncontent-disposition: form-data; filename="n"; name=file',
      "",
      "",
    ],
    ...["--a-b--", "after"],
  ].join("\r\n");
  for (const length of [1, 2, 3, 7, 1000]) {
    async function* pieces() {
      for (let at = 0; at < form.length; at += length) yield Buffer.from(form.slice(at, at + length));
    }
    const found: [string, string][] = [];
    for await (const { name, bytes } of readParts('multipart/form-data; boundary="a-b"', pieces()))
      found.push([name, await textOf(bytes, 100, name)]);
    expect(found).toEqual([
      ["file_name", "x\r\n--a-\r\n--a-c"],
      ["file", ""],
    ]);
  }
});
