// An adapter that is uploaded by Cloudflare's own commands for curl, on the embedded model.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { Ai } from "../../engine/workers-ai.ts";
import { createService, Finetunes, type Listening, listen } from "../../server/index.ts";
import { adapterTensors, floats } from "../weights/adapter-files.ts";

const MODEL = "@cf/mistral/mistral-7b-instruct-v0.2-lora";
const PROMPT = "Once upon a time";

const folder = mkdtempSync(join(tmpdir(), "sirocco-adapters-"));
const kept = mkdtempSync(join(folder, "kept-"));
let model: Model;
let server: Listening;
beforeAll(async () => {
  model = await loadModel();
  const finetunes = await Finetunes.open(model, kept, ["tiny-mistral"], () => {});
  const service = createService(model, { name: "tiny-mistral", keys: ["secret"], finetunes });
  server = await listen(service, { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server?.close({ drainMs: 0 });
  model?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function curl(path: string, ...call: string[]) {
  const url = `${server.url}/client/v4/accounts/0123abcd/ai/${path}`;
  const all = ["--silent", "--show-error", url, "-H", "Authorization: Bearer secret", ...call];
  return JSON.parse((await promisify(execFile)("curl", all)).stdout);
}

/** Writes the files of an adapter of layer 0's down_proj, [D, F] of that many rows. */
function write(D: number, F: number): void {
  const module = "base_model.model.model.layers.0.mlp.down_proj";
  const wave = (i: number) => Math.sin(7 * i + 1);
  const tensors = adapterTensors([
    floats(`${module}.lora_A.weight`, [2, F], wave),
    floats(`${module}.lora_B.weight`, [D, 2], wave),
  ]);
  const config = {
    peft_type: "LORA",
    r: 2,
    lora_alpha: 2,
    target_modules: ["down_proj"],
    model_type: "mistral",
  };
  writeFileSync(join(folder, "adapter_model.safetensors"), tensors);
  writeFileSync(join(folder, "adapter_config.json"), JSON.stringify(config));
}

const upload = (id: string, file: string) =>
  curl(
    `finetunes/${id}/finetune-assets/`,
    ...["-X", "POST", "-H", "Content-Type: multipart/form-data"],
    ...["-F", `file_name=${file}`, "-F", `file=@${join(folder, file)}`],
  );

test("created, uploaded and used; one of another model is refused and can be replaced", async () => {
  const { D, F } = model.config;
  const body = JSON.stringify({ model: MODEL, name: "waves", description: "test" });
  const { result } = await curl(
    "finetunes/",
    "-X",
    "POST",
    "-H",
    "Content-Type: application/json",
    "-d",
    body,
  );
  write(D + 32, F);
  expect(await upload(result.id, "adapter_model.safetensors")).toMatchObject({ success: true });
  const { success, errors } = await upload(result.id, "adapter_config.json");
  expect(success).toBe(false);
  expect(errors[0].message).toMatch(/lora_B.weight: expected shape .* Both files were removed/);
  expect(errors[0].message).not.toContain(kept);
  write(D, F);
  expect(await upload(result.id, "adapter_model.safetensors")).toMatchObject({ success: true });
  expect(await upload(result.id, "adapter_config.json")).toMatchObject({ success: true });
  expect((await curl("finetunes/")).result).toMatchObject([[{ id: result.id, name: result.name }]]);

  const options = { temperature: 0, maxTokens: 8 };
  const answer = async (adapter?: string) => {
    let text = "";
    for await (const chunk of model.generate(PROMPT, { ...options, ...(adapter && { adapter }) }))
      text += chunk.text;
    return text;
  };
  const expected = await answer("waves");
  expect(expected).not.toBe(await answer());
  const input = { raw: "true", temperature: 0, max_tokens: 8, lora: result.id };
  const messages = [{ role: "user", content: PROMPT }];
  const raw = await curl(`run/${MODEL}`, "-d", JSON.stringify({ messages, ...input }));
  expect(raw.result.response).toBe(expected);
  const ai = new Ai(model);
  const own = await ai.run(MODEL, {
    prompt: PROMPT,
    raw: true,
    temperature: 0,
    max_tokens: 8,
    lora: "waves",
  });
  expect(own.response).toBe(expected);
});
