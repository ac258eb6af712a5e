// `sirocco/workers-ai`: the call of Cloudflare's Workers AI, on a loaded model or over HTTP, for scripts that have it already.
// https://developers.cloudflare.com/workers-ai/configuration/bindings/

import { type AiModel, complete, pieces } from "./apis/workers-ai/answer.ts";
import { asAiError } from "./apis/workers-ai/error.ts";
import { type AiServer, post } from "./apis/workers-ai/http.ts";
import { readInput } from "./apis/workers-ai/input.ts";
import { eventStream } from "./apis/workers-ai/stream.ts";
import type {
  AiBinding,
  AiRunOptions,
  AiTextGenerationInput,
  AiTextGenerationOutput,
} from "./apis/workers-ai/types.ts";
import { callback, checkOptions, type Rules, signal, text } from "./options/check.ts";
import { outOfRange, shown, wrongType } from "./options/parameter.ts";

export { AiError } from "./apis/workers-ai/error.ts";
export type { AiServer } from "./apis/workers-ai/http.ts";
export type * from "./apis/workers-ai/types.ts";

type Answer = AiTextGenerationOutput | ReadableStream<Uint8Array>;
type Run = (model: string, input: AiTextGenerationInput, options: AiRunOptions) => Promise<Answer>;

export class Ai implements AiBinding {
  readonly #run: Run;

  /** On a model, every name stands for that model. Of a binding, as in `new Ai(env.AI)`, it passes the calls on. */
  constructor(target: AiModel | AiServer | AiBinding) {
    this.#run = runOn(target);
  }

  run(
    model: string,
    input: AiTextGenerationInput & { readonly stream: true },
    options?: AiRunOptions,
  ): Promise<ReadableStream<Uint8Array>>;
  run(
    model: string,
    input: AiTextGenerationInput & { readonly stream?: false },
    options?: AiRunOptions,
  ): Promise<AiTextGenerationOutput>;
  run(model: string, input: AiTextGenerationInput, options?: AiRunOptions): Promise<Answer>;
  async run(model: string, input: AiTextGenerationInput, options: AiRunOptions = {}): Promise<Answer> {
    checkOptions("run", options, runRules);
    return this.#run(model, input, options);
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
    try {
      return await (call.stream
        ? eventStream((ended) => pieces(target, call, ended), signal)
        : complete(target, call, signal));
    } catch (error) {
      throw asAiError(error) ?? error;
    }
  };
}
