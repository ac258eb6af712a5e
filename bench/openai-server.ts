// Streaming completions of an OpenAI-compatible server, requested with standard fields only.
import { eventData } from "./events.ts";
import { textPrompt } from "./prompts.ts";
import { excerpt, RefusedError, reasonOf, request } from "./refusals.ts";
import type { Ask } from "./streams.ts";

export interface ServerOptions {
  /** With or without a final /v1. */
  readonly url: string;
  /** Name of the model. Default: the first that the server lists. */
  readonly model: string | undefined;
  readonly apiKey: string | undefined;
  /** Call /v1/chat/completions instead of /v1/completions. */
  readonly chat: boolean;
}

/** Counts of what the report's notes mention. */
export interface Incidents {
  /** Answers for which the server gave no count of tokens. */
  uncounted: number;
  /** Requests that the server asked to repeat later, and the seconds waited. */
  refused: number;
  waited: number;
}

export interface OpenAIServer {
  readonly url: string;
  readonly model: string;
  readonly endpoint: string;
  readonly incidents: Incidents;
  readonly ask: Ask;
}

/** The fields of a chunk that are read. A server may omit each. */
interface StreamChunk {
  readonly error?: unknown;
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
  readonly choices?: readonly {
    readonly text?: string | null;
    readonly delta?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
  }[];
}

/** @throws if the server cannot be reached, or no model was named and the server lists none */
export async function openServer(options: ServerOptions, signal: AbortSignal): Promise<OpenAIServer> {
  const url = options.url.replace(/\/+$/, "").replace(/\/v1$/, "");
  const headers = {
    "content-type": "application/json",
    ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
  };
  const model = options.model ?? (await firstModel(`${url}/v1/models`, headers, signal));
  const endpoint = options.chat ? "/v1/chat/completions" : "/v1/completions";
  const incidents: Incidents = { uncounted: 0, refused: 0, waited: 0 };
  let usage = true;
  const post = (body: object, signal: AbortSignal): Promise<Response> => {
    const counted = usage ? { ...body, stream_options: { include_usage: true } } : body;
    const init = { method: "POST", headers, body: JSON.stringify(counted), signal };
    return request(`${url}${endpoint}`, init, (seconds) => {
      incidents.refused++;
      incidents.waited += seconds;
    }).catch((error: unknown) => {
      // Older servers refuse the field that asks for a count of tokens.
      const old = error instanceof RefusedError && error.said.includes("stream_options");
      if (!old || !usage) throw error;
      usage = false;
      return post(body, signal);
    });
  };
  const ask: Ask = async (question, arrived, signal) => {
    const prompt = textPrompt(question.index, question.promptTokens, question.next);
    const response = await post(
      {
        model,
        ...(options.chat ? { messages: [{ role: "user", content: prompt }] } : { prompt }),
        ...{ max_tokens: question.answerTokens, temperature: 0, stream: true },
      },
      signal,
    );
    const answer = await readAnswer(response, `${url}${endpoint}`, arrived, signal);
    if (answer.completionTokens !== undefined)
      return { ...answer, completionTokens: answer.completionTokens };
    incidents.uncounted++;
    return { completionTokens: answer.pieces };
  };
  return { url, model, endpoint, incidents, ask };
}

async function firstModel(url: string, headers: Record<string, string>, signal: AbortSignal) {
  const response = await request(url, { headers, signal });
  const text = await response.text();
  let name: unknown;
  try {
    name = JSON.parse(text).data[0].id;
  } catch {
    // Reported below.
  }
  if (typeof name === "string") return name;
  throw new Error(
    `${url}: expected a list of models as JSON, got "${excerpt(text)}". Name one with --model.`,
  );
}

/** @throws if the response is not a stream of events, or ends before the answer does */
async function readAnswer(response: Response, url: string, arrived: () => void, signal: AbortSignal) {
  const type = response.headers.get("content-type") ?? "no content-type";
  if (!type.includes("text/event-stream") || !response.body) {
    const text = await response.text();
    throw new Error(
      `${url}: expected a stream of events, got ${type}: "${excerpt(text)}". Is it an OpenAI-compatible server?`,
    );
  }
  let pieces = 0;
  let finished = false;
  let counts: StreamChunk["usage"];
  try {
    for await (const data of eventData(response.body, url)) {
      // Reads on to the end of the response, so that the connection can be reused.
      if (data === "[DONE]") finished = true;
      if (data === "[DONE]") continue;
      const { error, usage, choices } = parseChunk(data, url);
      if (error !== undefined)
        throw new Error(`${url}: expected an answer, got an error: ${excerpt(JSON.stringify(error))}`);
      counts = usage ?? counts;
      const [choice] = choices ?? [];
      if (choice?.text || choice?.delta?.content) {
        pieces++;
        arrived();
      }
      if (choice?.finish_reason) finished = true;
    }
  } catch (error) {
    signal.throwIfAborted();
    // `fetch` throws a TypeError if the connection breaks. Other errors are ours.
    if (!(error instanceof TypeError)) throw error;
    throw cutOff(url, pieces, ` (${reasonOf(error)})`);
  }
  signal.throwIfAborted();
  if (!finished) throw cutOff(url, pieces, "");
  return { promptTokens: counts?.prompt_tokens, completionTokens: counts?.completion_tokens, pieces };
}

const cutOff = (url: string, pieces: number, reason: string) =>
  new Error(
    `${url}: expected an answer with a finish_reason, got a stream that ended after ${pieces} pieces${reason}. See the server's log.`,
  );

function parseChunk(data: string, url: string): StreamChunk {
  try {
    return JSON.parse(data);
  } catch {
    throw new Error(`${url}: expected JSON in the stream, got "${excerpt(data)}".`);
  }
}
