// POST /v1/completions: text completions, as a whole or as a stream.
import { setImmediate } from "node:timers/promises";
import { checkKnown } from "../../engine/graph/prompt-ids.ts";
import { AdmittedModel } from "../admitted-model.ts";
import { readBody } from "../body.ts";
import { checkBias, checkContext, checkFormat, checkTokenizer, encodeText } from "../context-check.ts";
import { errorBody } from "../openai-error.ts";
import type { Ctx } from "../request-lifecycle.ts";
import type { Service } from "../service.ts";
import { streamEvents } from "../sse.ts";
import { type CompletionPiece, type EncodedPrompt, permitsNeeded, pieces } from "./completion-pieces.ts";
import { type CompletionRequest, type Prompt, readCompletion } from "./completion-request.ts";
import { type CompletionLogprobs, completionLogprobs, type Scored } from "./completion-tokens.ts";
import { adaptersFor, checkServed } from "./models.ts";

interface Completion {
  readonly id: string;
  readonly object: "text_completion";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly text: string;
    readonly logprobs: CompletionLogprobs | null;
    readonly finish_reason: "stop" | "length" | "content_filter" | null;
  }[];
  readonly usage?: Usage | null;
}

interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

type Head = Pick<Completion, "id" | "object" | "created" | "model">;

export async function completions(c: Ctx, service: Service): Promise<Response> {
  const lifecycle = c.get("lifecycle");
  const { lora, ...given } = await readBody(c, service.limits);
  const asked = readCompletion(given);
  const model = checkServed(service, asked.model);
  const request = { ...asked, options: { ...asked.options, ...(await adaptersFor(service, model, lora)) } };
  checkBias(service, request.options);
  if (service.logPrompts) lifecycle.prompt = request.prompts;
  const prompts: EncodedPrompt[] = [];
  for (const prompt of request.prompts) {
    const encoded = await encode(service, prompt, lifecycle.signal);
    checkContext(service, encoded.ids.length, request.asksLength ? request.options : {}, "prompt");
    prompts.push(encoded);
    // Lets other requests run between two long texts.
    await setImmediate();
  }
  await checkFormat(service, prompts[0]?.ids ?? [], request.options, request.asked);
  const answers = new AdmittedModel(service, lifecycle, permitsNeeded(request));
  await answers.screen(prompts.map(({ text }) => text).join("\n\n"));
  const coming = pieces(answers, request, prompts, lifecycle.signal);
  const head: Head = {
    id: `cmpl-${crypto.randomUUID().replaceAll("-", "")}`,
    object: "text_completion",
    created: Math.floor(Date.now() / 1000),
    model,
  };
  return request.stream
    ? streamEvents(c, service, chunks(coming, request, head), errorBody)
    : c.json(await whole(coming, request, head));
}

async function encode(service: Service, prompt: Prompt, signal: AbortSignal): Promise<EncodedPrompt> {
  const { model } = service;
  if (typeof prompt === "string")
    return { ids: await encodeText(service, prompt, "prompt", signal), text: prompt };
  // First, as the check of every id takes time.
  checkContext(service, prompt.length, {}, "prompt");
  checkKnown(prompt, model.config.V, "prompt");
  await checkTokenizer(model);
  return { ids: prompt, text: await model.decode(prompt, { signal }) };
}

async function whole(
  coming: AsyncIterable<CompletionPiece>,
  request: CompletionRequest,
  head: Head,
): Promise<Completion> {
  const drafts = Array.from({ length: request.prompts.length * request.answers }, () => ({
    text: "",
    tokens: [] as Scored[],
    finish: undefined as CompletionPiece["finish"],
  }));
  for await (const { index, text, tokens, finish } of coming) {
    const draft = drafts[index];
    if (!draft) continue;
    draft.text += text;
    draft.tokens.push(...tokens);
    draft.finish = finish;
  }
  const choices = drafts.map(({ text, tokens, finish }, index) => ({
    index,
    text,
    logprobs: listed(tokens, request, 0),
    finish_reason: reasonOf(finish),
  }));
  return { ...head, choices, usage: usageOf(drafts, request) };
}

async function* chunks(
  coming: AsyncIterable<CompletionPiece>,
  request: CompletionRequest,
  head: Head,
): AsyncGenerator<Completion, void, void> {
  const finished: Pick<CompletionPiece, "index" | "finish">[] = [];
  const offsets = new Map<number, number>();
  const usage = request.includeUsage ? { usage: null } : {};
  for await (const { index, text, tokens, finish } of coming) {
    const offset = offsets.get(index) ?? 0;
    offsets.set(index, offset + tokens.reduce((sum, { width }) => sum + width, 0));
    if (finish) finished.push({ index, finish });
    if (text === "" && tokens.length === 0 && !finish) continue;
    const logprobs = listed(tokens, request, offset);
    yield { ...head, choices: [{ index, text, logprobs, finish_reason: reasonOf(finish) }], ...usage };
  }
  if (!request.includeUsage) return;
  finished.sort((a, b) => a.index - b.index);
  yield { ...head, choices: [], usage: usageOf(finished, request) };
}

/** An aborted answer has no reason: its request has failed. */
function reasonOf(finish: CompletionPiece["finish"]): "stop" | "length" | "content_filter" | null {
  if (!finish || finish.reason === "abort") return null;
  if (finish.reason === "content-filter") return "content_filter";
  return finish.reason === "length" ? "length" : "stop";
}

function listed(tokens: readonly Scored[], { options }: CompletionRequest, offset: number) {
  const { topLogProbs } = options;
  return topLogProbs === undefined ? null : completionLogprobs(tokens, topLogProbs, offset);
}

/** Counts each prompt once, however many answers it has. @param choices ordered by index */
function usageOf(choices: readonly Pick<CompletionPiece, "finish">[], { answers }: CompletionRequest): Usage {
  const sum = (
    each: readonly Pick<CompletionPiece, "finish">[],
    key: "promptTokens" | "cachedTokens" | "completionTokens",
  ) => each.reduce((total, { finish }) => total + (finish?.[key] ?? 0), 0);
  const firsts = choices.filter((_, index) => index % answers === 0);
  const [prompt, completion] = [sum(firsts, "promptTokens"), sum(choices, "completionTokens")];
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: sum(firsts, "cachedTokens") },
  };
}
