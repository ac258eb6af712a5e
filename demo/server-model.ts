// A model behind an OpenAI-compatible server: Sirocco's own, llama.cpp's, vLLM, Ollama, LM Studio, OpenAI.
import OpenAI, { APIConnectionError, APIError } from "openai";
import type { AnswerFormat, ChatModel, ChatOptions, Chunk, Finish, Message, ServerChoice } from "./engine.ts";

type Body = OpenAI.ChatCompletionCreateParamsStreaming;
type Sampling = Partial<Record<string, unknown>>;

/** Why a server did not answer, in a code that trouble.ts has words for. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: "server-unreachable" | "server-key" | "server-refused";

  constructor(code: ServerError["code"], message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * Asks the server for its models.
 * @returns the model that was asked for, or the first one
 * @throws ServerError
 */
export async function openServer(
  { address, model, key }: ServerChoice,
  signal?: AbortSignal,
): Promise<ServerModel> {
  const client = new OpenAI({
    baseURL: address,
    // The client insists on one. A server without keys ignores it.
    apiKey: key || "none",
    dangerouslyAllowBrowser: true,
    maxRetries: 1,
  });
  const names = await inWords(address, async () => {
    const { data } = await client.models.list({ signal: signal ?? null });
    return data.map(({ id }) => id);
  });
  const name = model ?? names[0];
  if (name === undefined)
    throw new ServerError("server-refused", `${address}: expected a list of models, got none.`, undefined);
  return new ServerModel(client, name, names);
}

export class ServerModel implements ChatModel {
  readonly #client: OpenAI;
  readonly name: string;
  /** All models of the server. */
  readonly names: readonly string[];
  readonly #ending = new AbortController();

  constructor(client: OpenAI, name: string, names: readonly string[]) {
    this.#client = client;
    this.name = name;
    this.names = names;
  }

  dispose(): void {
    this.#ending.abort();
  }

  async *chat(messages: readonly Message[], options: ChatOptions): AsyncGenerator<Chunk> {
    const signal = AbortSignal.any([this.#ending.signal, ...(options.signal ? [options.signal] : [])]);
    const started = performance.now();
    let firstAt: number | undefined;
    let usage: OpenAI.CompletionUsage | undefined;
    let reason: Finish["reason"] = "stop";
    const body: Body = {
      model: this.name,
      messages: messages.map(toOpenAi),
      stream: true,
      stream_options: { include_usage: true },
      ...(sampling(options) as object),
      ...shape(options.format as AnswerFormat | undefined),
    };
    try {
      const events = await inWords(this.#client.baseURL, () =>
        this.#client.chat.completions.create(body, { signal }),
      );
      for await (const { choices, usage: counted } of events) {
        usage = counted ?? usage;
        const [choice] = choices;
        if (!choice) continue;
        firstAt ??= performance.now();
        reason = REASONS[choice.finish_reason ?? ""] ?? reason;
        const { content, reasoning_content, reasoning } = choice.delta as Delta;
        const thought = reasoning_content ?? reasoning;
        yield { text: content ?? "", ids: [], ...(thought && { reasoning: thought }) };
      }
    } catch (error) {
      if (!signal.aborted) throw inWordsOf(this.#client.baseURL, error);
    }
    if (signal.aborted) reason = "abort";
    const now = performance.now();
    const finish: Finish = {
      reason,
      promptTokens: usage?.prompt_tokens ?? 0,
      cachedTokens: usage?.prompt_tokens_details?.cached_tokens ?? 0,
      completionTokens: usage?.completion_tokens ?? 0,
      waitedMs: 0,
      prefillMs: (firstAt ?? now) - started,
      decodeMs: now - (firstAt ?? now),
    };
    yield { text: "", ids: [], finish };
  }
}

/** What servers add to OpenAI's pieces: llama.cpp, Sirocco and DeepSeek; vLLM. */
type Delta = {
  readonly content?: string | null;
  readonly reasoning_content?: string;
  readonly reasoning?: string;
};

const REASONS: Readonly<Record<string, Finish["reason"]>> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool-calls",
  content_filter: "content-filter",
};

const toOpenAi = ({ role, content }: Message): OpenAI.ChatCompletionMessageParam =>
  ({ role, content }) as OpenAI.ChatCompletionMessageParam;

/** OpenAI's own parameters; those that only other servers know, if the visitor has set them. */
function sampling(options: ChatOptions): Sampling {
  const { temperature, topP, maxTokens, seed, topK, minP, repetitionPenalty, safePrompt } = options;
  return {
    ...{ temperature, top_p: topP, max_tokens: maxTokens, seed },
    ...(topK && { top_k: topK }),
    ...(minP && { min_p: minP }),
    ...(repetitionPenalty !== undefined &&
      repetitionPenalty !== 1 && { repetition_penalty: repetitionPenalty }),
    ...(safePrompt && { safe_prompt: true }),
  };
}

/** OpenAI's field of a format; for those that OpenAI has not, vLLM's and Sirocco's. */
function shape(format: AnswerFormat | undefined): object {
  if (format?.type === "json") return { response_format: { type: "json_object" } };
  if (format?.type === "json_schema")
    return {
      response_format: { type: "json_schema", json_schema: { name: "answer", schema: format.schema } },
    };
  if (format?.type === "regex") return { guided_regex: format.pattern };
  if (format?.type === "choice") return { guided_choice: format.choices };
  return {};
}

async function inWords<T>(address: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw inWordsOf(address, error);
  }
}

function inWordsOf(address: string, error: unknown): unknown {
  if (error instanceof APIConnectionError)
    return new ServerError("server-unreachable", `${address}: ${error.message}`, error);
  if (!(error instanceof APIError)) return error;
  const isKey = error.status === 401 || error.status === 403;
  return new ServerError(isKey ? "server-key" : "server-refused", `${address}: ${error.message}`, error);
}
