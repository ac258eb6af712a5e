// The run call of Cloudflare's Workers AI, under /client/v4:
// https://developers.cloudflare.com/workers-ai/get-started/rest-api/
import { Hono } from "hono";
import { isNothing } from "../../engine/apis/quiet-fields.ts";
import { complete, pieces, type StartAnswer } from "../../engine/apis/workers-ai/answer.ts";
import { type AiCall, adapterOf, readInput } from "../../engine/apis/workers-ai/input.ts";
import type { GenerateOptions } from "../../engine/node.ts";
import { AdmittedModel } from "../admitted-model.ts";
import { readBody } from "../body.ts";
import {
  checkContext,
  checkFormat,
  type EncodedPrompt,
  encodeMessages,
  encodeText,
} from "../context-check.ts";
import { HttpError } from "../errors.ts";
import { authorize } from "../middleware.ts";
import { saidIn } from "../moderation.ts";
import type { Ctx, Env } from "../request-lifecycle.ts";
import type { Service } from "../service.ts";
import { streamEvents } from "../sse.ts";
import { envelope, failure, workersAiError } from "../workers-ai-error.ts";
import { finetuneRoutes } from "./finetunes.ts";
import { checkName } from "./models.ts";

/** The models in Cloudflare's examples. They stand for the served model, so that the examples work. */
const EXAMPLES = [
  "@cf/mistral/mistral-7b-instruct-v0.1",
  "@cf/mistral/mistral-7b-instruct-v0.2-lora",
  "@cf/mistralai/mistral-7b-instruct-v0.2-lora",
];

export function workersAi(service: Service): Hono<Env> {
  const app = new Hono<Env>();
  app.use(authorize(service));
  // A name contains slashes. Any account is accepted.
  app.post("/accounts/:account/ai/run/:model{.+}", (c) => run(c, service, c.req.param("model")));
  app.route("/accounts/:account/ai", finetuneRoutes(service));
  app.onError(workersAiError);
  return app;
}

async function run(c: Ctx, service: Service, name: string): Promise<Response> {
  const lifecycle = c.get("lifecycle");
  if (!EXAMPLES.includes(name)) checkName(service, name);
  const input = await readBody(c, service.limits);
  const call = readInput(input);
  // It may be the id of a finetune.
  const lora = call.lora && (service.finetunes?.adapter(call.lora) ?? call.lora);
  const { adapters } = service.model;
  const own = lora === undefined ? await service.defaultAdapters.chosen() : adapterOf(adapters, lora);
  const asked = { ...call.options, ...own };
  if (service.logPrompts) lifecycle.prompt = call.prompt;
  const { ids, warnings, standalone } = await encode(service, call, lifecycle.signal);
  await checkFormat(service, ids, call.options, call.asked);
  const options = fitting(service, ids.length, asked, asksLength(input["max_tokens"]));
  const answers = new AdmittedModel(service, lifecycle);
  await answers.screen(typeof call.prompt === "string" ? call.prompt : saidIn(call.prompt));
  const start: StartAnswer = async function* (options) {
    const own = { ...options, standalone, separateReasoning: standalone };
    for await (const chunk of answers.generate(ids, own, warnings)) {
      // There is no shape for an answer that is withheld.
      if (chunk.finish?.reason === "content-filter")
        throw new HttpError(400, chunk.finish.warnings?.at(-1) ?? "", { code: "content_filter" });
      yield chunk;
    }
  };
  if (call.stream) return streamEvents(c, service, pieces(start, options, lifecycle.signal), failure);
  return c.json(envelope(await complete(start, options, lifecycle.signal)));
}

async function encode(
  service: Service,
  { prompt, options }: AiCall,
  signal: AbortSignal,
): Promise<EncodedPrompt & { readonly standalone: boolean }> {
  if (typeof prompt === "string")
    return { ids: await encodeText(service, prompt, "prompt", signal), warnings: [], standalone: false };
  return { ...(await encodeMessages(service, prompt, "prompt", { ...options, signal })), standalone: true };
}

const asksLength = (given: unknown): boolean => !isNothing(given) && given !== -1;

/** The default of 256 tokens is reduced to what the context holds; a requested length must fit. */
function fitting(
  service: Service,
  prompt: number,
  options: GenerateOptions,
  asked: boolean,
): GenerateOptions {
  if (asked) return checkContext(service, prompt, options, "prompt");
  const { maxTokens: defaultTokens = Infinity, ...others } = options;
  const { maxTokens: room = Infinity } = checkContext<GenerateOptions>(service, prompt, others, "prompt");
  return { ...options, maxTokens: Math.min(defaultTokens, room) };
}
