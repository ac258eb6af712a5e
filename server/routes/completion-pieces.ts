// The choices of a text completion, piece by piece.
import { merge } from "../../engine/apis/merge.ts";
import type { Finish, Model } from "../../engine/node.ts";
import type { AdmittedModel } from "../admitted-model.ts";
import type { CompletionRequest } from "./completion-request.ts";
import { named, type Scored, scoredAnswer, scorePrompt } from "./completion-tokens.ts";

export interface CompletionPiece {
  readonly index: number;
  readonly text: string;
  /** Empty unless the request asks for log-probabilities. */
  readonly tokens: readonly Scored[];
  readonly finish?: Pick<Finish, "reason" | "promptTokens" | "cachedTokens" | "completionTokens"> | undefined;
}

export interface EncodedPrompt {
  readonly ids: readonly number[];
  /** The text that `echo` returns. */
  readonly text: string;
}

/** Permits that the request needs: one for each answer, and one for each prompt to score. */
export function permitsNeeded(request: CompletionRequest): number {
  const { prompts, answers, options } = request;
  return prompts.length * ((options.maxTokens > 0 ? answers : 0) + (isScored(request) ? 1 : 0));
}

const isScored = ({ echo, options }: CompletionRequest): boolean => echo && options.topLogProbs !== undefined;

/** All choices of all prompts, in parallel. Choice j of prompt i has the index i · n + j. */
export function pieces(
  answers: AdmittedModel,
  request: CompletionRequest,
  prompts: readonly EncodedPrompt[],
  signal: AbortSignal,
): AsyncGenerator<CompletionPiece, void, void> {
  const choices = prompts.flatMap((prompt, i) => {
    const echo = request.echo ? echoOf(answers, prompt, request, signal) : undefined;
    return Array.from({ length: request.answers }, (_, j) =>
      choice(answers, prompt, request, { index: i * request.answers + j, nth: j, echo, signal }),
    );
  });
  return merge(choices);
}

interface ChoiceOptions {
  readonly index: number;
  /** Its number among the choices of its prompt. */
  readonly nth: number;
  readonly echo: Promise<readonly Scored[]> | undefined;
  readonly signal: AbortSignal;
}

async function* choice(
  answers: AdmittedModel,
  { ids, text }: EncodedPrompt,
  request: CompletionRequest,
  { index, nth, echo, signal }: ChoiceOptions,
): AsyncGenerator<CompletionPiece, void, void> {
  const { options, seed } = request;
  if (echo) yield { index, text, tokens: await echo };
  if (options.maxTokens === 0) {
    const finish = {
      reason: "length",
      promptTokens: ids.length,
      cachedTokens: 0,
      completionTokens: 0,
    } as const;
    yield { index, text: "", tokens: [], finish };
    return;
  }
  const own = { ...(seed !== undefined && { seed: seed + nth }), signal };
  for await (const { text, logProbs = [], finish } of answers.generate(ids, { ...options, ...own })) {
    if (finish?.reason === "abort") signal.throwIfAborted();
    // What scoring has left in the cache is no saving of this request's.
    const counted = finish && isScored(request) ? { ...finish, cachedTokens: 0 } : finish;
    yield { index, text, tokens: logProbs.map(scoredAnswer), finish: counted };
  }
}

/**
 * The tokens of a prompt with log-probabilities, if the request asks for them. Computed once for all its
 * choices.
 */
function echoOf(
  answers: AdmittedModel,
  { ids, text }: EncodedPrompt,
  { options }: CompletionRequest,
  signal: AbortSignal,
): Promise<readonly Scored[]> {
  const { topLogProbs, adapter } = options;
  if (topLogProbs === undefined) return Promise.resolve([]);
  const asked = { topLogProbs, signal, ...(adapter && { adapter }) };
  const scored = answers.run(async (model: Model) => {
    const tokens = await scorePrompt(model, ids, asked);
    answers.countScored(ids.length);
    return withoutLeadingSpace(tokens, { ids, text });
  });
  // If the request ends first, nothing awaits it.
  scored.catch(() => {});
  return scored;
}

/** Removes the space that many tokenizers put before the first token of a text. */
function withoutLeadingSpace(tokens: readonly Scored[], { ids, text }: EncodedPrompt): readonly Scored[] {
  const first = tokens.findIndex(({ width }) => width > 0);
  const token = tokens[first];
  const joined = tokens.map((each) => (each.width > 0 ? each.text : "")).join("");
  if (!token || blanksBefore(joined) <= blanksBefore(text)) return tokens;
  const own = token.text.slice(1) || named(ids[first] ?? 0);
  const top =
    token.top &&
    Object.fromEntries(
      Object.entries(token.top).map(([each, logProb]) => [each === token.text ? own : each, logProb]),
    );
  return tokens.with(first, { ...token, text: own, width: token.width - 1, top });
}

const blanksBefore = (text: string): number => text.length - text.replace(/^ +/, "").length;
