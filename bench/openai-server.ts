// An OpenAI-compatible server as something to ask: streaming completions with standard fields only.
import { eventData } from "./events.ts";
import { textPrompt } from "./prompts.ts";
import { excerpt, RefusedError, reasonOf, request } from "./refusals.ts";
import type { Ask } from "./streams.ts";

export interface ServerOptions {
  /** With or without /v1 at its end. */
  readonly url: string;
  /** Name of the model; without, the first that the server lists. */
  readonly model: string | undefined;
  readonly apiKey: string | undefined;
  /** Ask /v1/chat/completions in place of /v1/completions. */
  readonly chat: boolean;
}

/** What is worth a note beside the figures. */
export interface Told {
  /** Answers whose tokens the server did not count. */
  uncounted: number;
  /** Refusals with "later", and the seconds waited for them. */
  refused: number;
  waited: number;
}

export interface OpenAIServer {
  readonly url: string;
  readonly model: string;
  readonly endpoint: string;
  readonly told: Told;
  readonly ask: Ask;
}

/** What of a chunk is read; a server may leave out any of it. */
interface StreamChunk {
  readonly error?: unknown;
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
  readonly choices?: readonly {
    readonly text?: string | null;
    readonly delta?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
  }[];
}

/** @throws where nobody answers, or no model is listed and none was named */
export async function openServer(options: ServerOptions, signal: AbortSignal): Promise<OpenAIServer> {
  const url = options.url.replace(/\/+$/, "").replace(/\/v1$/, "");
  const headers = {
    "content-type": "application/json",
    ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
  };
  const model = options.model ?? (await firstModel(`${url}/v1/models`, headers, signal));
  const endpoint = options.chat ? "/v1/chat/completions" : "/v1/completions";
  const told: Told = { uncounted: 0, refused: 0, waited: 0 };
  let usage = true;
  const post = (body: object, signal: AbortSignal): Promise<Response> => {
    const counted = usage ? { ...body, stream_options: { include_usage: true } } : body;
    const init = { method: "POST", headers, body: JSON.stringify(counted), signal };
    return request(`${url}${endpoint}`, init, (seconds) => {
      told.refused++;
      told.waited += seconds;
    }).catch((error: unknown) => {
      // Older servers do not know how to be asked for the count.
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
    told.uncounted++;
    return { completionTokens: answer.pieces };
  };
  return { url, model, endpoint, told, ask };
}

async function firstModel(url: string, headers: Record<string, string>, signal: AbortSignal) {
  const response = await request(url, { headers, signal });
  const text = await response.text();
  let name: unknown;
  try {
    name = JSON.parse(text).data[0].id;
  } catch {
    // Told below, whatever it is.
  }
  if (typeof name === "string") return name;
  throw new Error(
    `${url}: expected a list of models as JSON, got "${excerpt(text)}". Name one with --model.`,
  );
}

/** @throws where it is no stream of an answer, or ends before the answer does */
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
      // What follows is read, too, so that the connection can be used again.
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
    // What `fetch` throws where a connection breaks; our own errors say it all.
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
