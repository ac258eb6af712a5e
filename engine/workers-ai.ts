/**
 * The call of [Cloudflare's Workers
 * AI](https://developers.cloudflare.com/workers-ai/configuration/bindings/), on a loaded model or over HTTP,
 * for scripts that use it already.
 *
 * @module sirocco/workers-ai
 */

import { type AiModel, complete, pieces, startOn } from "./apis/workers-ai/answer.ts";
import { asAiError } from "./apis/workers-ai/error.ts";
import { type AiServer, post } from "./apis/workers-ai/http.ts";
import { adapterOf, badInput, readInput } from "./apis/workers-ai/input.ts";
import { eventStream } from "./apis/workers-ai/stream.ts";
import type {
  AiBinding,
  AiJsonInput,
  AiJsonOutput,
  AiRunOptions,
  AiTextGenerationInput,
  AiTextGenerationOutput,
} from "./apis/workers-ai/types.ts";
import { callback, checkOptions, type Rules, signal, text } from "./options/check.ts";
import { outOfRange, shown, wrongType } from "./options/parameter.ts";

export type { AiModel } from "./apis/workers-ai/answer.ts";
export { AiError } from "./apis/workers-ai/error.ts";
export type { AiServer } from "./apis/workers-ai/http.ts";
export type * from "./apis/workers-ai/types.ts";

type Answer = AiTextGenerationOutput | AiJsonOutput | ReadableStream<Uint8Array>;
type Run = (model: string, input: AiTextGenerationInput, options: AiRunOptions) => Promise<Answer>;

/**
 * Workers AI's call on a loaded model, over HTTP, or on Cloudflare's binding.
 *
 * @example
 * ```ts
 * import { Ai } from "sirocco/workers-ai";
 *
 * const ai = new Ai(model); // or: new Ai({ baseURL: "http://127.0.0.1:8000/client/v4", apiToken: "KEY" })
 * const input = { prompt: "Tell me a story.", max_tokens: 12 };
 * const { response, usage } = await ai.run("@cf/mistral/mistral-7b-instruct-v0.1", input);
 * console.log(typeof response, usage.completion_tokens); // string 12
 * ```
 */
export class Ai implements AiBinding {
  readonly #run: Run;

  /**
   * @param target a loaded model, which answers under every model name; a server; or a binding, as in `new
   * Ai(env.AI)`, which gets the calls unchanged
   * @throws TypeError, RangeError if it is none of these; `parameter` names the wrong property
   */
  constructor(target: AiModel | AiServer | AiBinding) {
    this.#run = runOn(target);
  }

  /**
   * Answers with JSON, parsed.
   *
   * @throws AiError if the input is refused; "JSON Mode couldn't be met" if `max_tokens` cuts the JSON off
   */
  run(model: string, input: AiJsonInput, options?: AiRunOptions): Promise<AiJsonOutput>;
  /**
   * Answers with a stream of server-sent events. Cancelling it ends the answer.
   *
   * @param model a name such as `@cf/mistral/mistral-7b-instruct-v0.1`
   * @throws AiError if the input is refused
   */
  run(
    model: string,
    input: AiTextGenerationInput & { readonly stream: true },
    options?: AiRunOptions,
  ): Promise<ReadableStream<Uint8Array>>;
  /** Answers with the whole text. @throws AiError if the input is refused */
  run(
    model: string,
    input: AiTextGenerationInput & { readonly stream?: false },
    options?: AiRunOptions,
  ): Promise<AiTextGenerationOutput>;
  /** Answers, as a stream if `stream` is true. @throws AiError if the input is refused */
  run(
    model: string,
    input: AiTextGenerationInput,
    options?: AiRunOptions,
  ): Promise<AiTextGenerationOutput | ReadableStream<Uint8Array>>;
  // The result is that of the overloads.
  async run(model: string, input: AiTextGenerationInput, options: AiRunOptions = {}): Promise<never> {
    checkOptions("run", options, runRules);
    return (await this.#run(model, input, options)) as never;
  }
}

const runRules: Rules<AiRunOptions> = { signal };
const serverRules: Rules<AiServer> = { baseURL: text, accountId: text, apiToken: text, fetch: callback };

function checkBase(base: string | undefined): void {
  const expected = `expected an address such as http://127.0.0.1:8000/client/v4, got ${shown(base)}.`;
  if (base === undefined) throw wrongType("baseURL", expected);
  if (!/^https?:\/\//i.test(base) || !URL.canParse(base)) throw outOfRange("baseURL", expected);
}

const isModel = (target: AiModel | AiServer): target is AiModel => "chat" in target;

function runOn(target: AiModel | AiServer | AiBinding): Run {
  if (typeof target !== "object" || target === null)
    throw wrongType(
      "Ai",
      `expected a loaded model, { baseURL, accountId, apiToken } or a binding, got ${shown(target)}. Pass one of these.`,
    );
  if ("run" in target) return (model, input, options) => target.run(model, input, options);
  if (!isModel(target)) {
    checkOptions("Ai", target, serverRules);
    checkBase(target.baseURL);
    return (model, input, options) => post(target, model, input, options);
  }
  return async (_, input, { signal }) => {
    const call = readInput(input);
    const options = { ...call.options, ...adapterOf(target.adapters ?? [], call.lora) };
    const start = startOn(target, call);
    try {
      return await (call.stream
        ? eventStream((ended) => pieces(start, options, ended), signal)
        : complete(start, options, signal));
    } catch (error) {
      throw asAiError(error) ?? (call.asked ? badInput(error) : error);
    }
  };
}
