// A model behind an OpenAI-compatible server: Sirocco's own, llama.cpp's, vLLM, Ollama, LM Studio, OpenAI.
import OpenAI, { APIConnectionError, APIError } from "openai";
import type {
  AnswerFormat,
  ChatModel,
  ChatOptions,
  Chunk,
  Finish,
  Message,
  ServerChoice,
  Tool,
  ToolCallDelta,
} from "./engine.ts";

type Body = OpenAI.ChatCompletionCreateParamsStreaming;
type Sampling = Partial<Record<string, unknown>>;

/** Why a server did not answer, in a code that trouble.ts has words for. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: "server-unreachable" | "server-key" | "server-refused" | "context-length";
  /** The field of the request that the server refuses, if it says so. */
  readonly parameter: string | undefined;

  constructor(code: ServerError["code"], message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
    this.parameter = cause instanceof APIError ? (cause.param ?? undefined) : undefined;
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
  const found = await inWords(address, async () => {
    const { data } = await client.models.list({ signal: signal ?? null });
    return new Map(data.map((each) => [each.id, contextLengthOf(each)]));
  });
  const names = [...found.keys()];
  const name = model ?? names[0];
  if (name === undefined)
    throw new ServerError("server-refused", `${address}: expected a list of models, got none.`, undefined);
  return new ServerModel(client, name, names, found.get(name));
}

export class ServerModel implements ChatModel {
  readonly #client: OpenAI;
  readonly name: string;
  /** All models of the server. */
  readonly names: readonly string[];
  readonly contextLength: number | undefined;
  readonly #ending = new AbortController();

  constructor(client: OpenAI, name: string, names: readonly string[], contextLength: number | undefined) {
    this.#client = client;
    this.name = name;
    this.names = names;
    this.contextLength = contextLength;
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
    const calls = new CallPieces();
    const body: Body = {
      model: this.name,
      messages: messages.map(toOpenAi),
      stream: true,
      stream_options: { include_usage: true },
      ...(sampling(options) as object),
      ...shape(options.format as AnswerFormat | undefined),
      ...(options.tools?.length && { tools: options.tools.map(toOpenAiTool) }),
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
        const { content, reasoning_content, reasoning, tool_calls } = choice.delta as Delta;
        const thought = reasoning_content ?? reasoning;
        const toolCalls = (tool_calls ?? []).map((piece) => calls.piece(piece));
        yield {
          ...{ text: content ?? "", ids: [] },
          ...(thought && { reasoning: thought }),
          ...(toolCalls.length > 0 && { toolCalls }),
        };
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
  readonly tool_calls?: readonly CallPiece[];
};

type CallPiece = OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall;

/** Pieces of calls with the id and the name of their call, which a server sends with the first one only. */
class CallPieces {
  readonly #calls = new Map<number, { readonly id: string; readonly name: string }>();

  piece({ index, id, function: { name, arguments: more = "" } = {} }: CallPiece): ToolCallDelta {
    const known = this.#calls.get(index);
    // Some servers give all calls the same index.
    const isNew = known === undefined || (id && id !== known.id);
    const call = isNew ? { id: id || crypto.randomUUID(), name: name ?? "" } : known;
    this.#calls.set(index, call);
    return { index, ...call, arguments: more };
  }
}

const REASONS: Readonly<Record<string, Finish["reason"]>> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool-calls",
  content_filter: "content-filter",
};

const toOpenAi = ({ role, content, toolCalls, toolCallId }: Message): OpenAI.ChatCompletionMessageParam =>
  ({
    ...{ role, content },
    ...(toolCalls && {
      tool_calls: toolCalls.map(({ id, name, arguments: text }) => ({
        ...{ id, type: "function", function: { name, arguments: text } },
      })),
    }),
    ...(toolCallId !== undefined && { tool_call_id: toolCallId }),
  }) as OpenAI.ChatCompletionMessageParam;

const toOpenAiTool = ({ name, description, parameters }: Tool) =>
  ({
    type: "function",
    function: {
      name,
      ...(description !== undefined && { description }),
      ...(parameters !== undefined && { parameters }),
    },
  }) as OpenAI.ChatCompletionTool;

/** What servers add to OpenAI's list of models: Sirocco; vLLM. */
function contextLengthOf(model: OpenAI.Model): number | undefined {
  const { context_length, max_model_len } = model as { context_length?: unknown; max_model_len?: unknown };
  const length = context_length ?? max_model_len;
  return typeof length === "number" && length > 0 ? length : undefined;
}

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
  const code = isKey ? "server-key" : isTooLong(error) ? "context-length" : "server-refused";
  return new ServerError(code, `${address}: ${error.message}`, error);
}

/** OpenAI's and Sirocco's code, llama.cpp's type, the field that vLLM names. */
const isTooLong = ({ code, type, param }: APIError): boolean =>
  code === "context_length_exceeded" || type === "exceed_context_size_error" || param === "input_tokens";
