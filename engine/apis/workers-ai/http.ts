// Workers AI's call over HTTP: to a Sirocco server, or to Cloudflare.
import { AiError, aiError } from "./error.ts";
import type {
  AiEnvelope,
  AiJsonOutput,
  AiRunOptions,
  AiTextGenerationInput,
  AiTextGenerationOutput,
} from "./types.ts";

/** A server with Workers AI's call. */
export interface AiServer {
  /**
   * The address before the paths of the calls: `http://127.0.0.1:8000/client/v4`,
   * `https://api.cloudflare.com/client/v4`. Required.
   */
  readonly baseURL: string;
  /** The account at Cloudflare. A Sirocco server takes any. Default "sirocco". */
  readonly accountId?: string;
  /** Sent as the bearer token. Default: none. */
  readonly apiToken?: string;
  /** Makes the requests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/** @throws AiError; the error of `fetch` if the server cannot be reached, or the signal's reason */
export async function post(
  server: AiServer,
  model: string,
  input: AiTextGenerationInput,
  { signal }: AiRunOptions,
): Promise<AiTextGenerationOutput | AiJsonOutput | ReadableStream<Uint8Array>> {
  const { apiToken, fetch: request = fetch } = server;
  const response = await request(address(server, model), {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(apiToken !== undefined && { Authorization: `Bearer ${apiToken}` }),
    },
    body: JSON.stringify(input),
    ...(signal && { signal }),
  });
  const streams = response.headers.get("Content-Type")?.startsWith("text/event-stream");
  if (response.ok && streams && response.body) return response.body;
  return resultOf(response);
}

function address({ baseURL, accountId = "sirocco" }: AiServer, model: string): string {
  // A name becomes part of the path: it may not leave it with "..", or add a query.
  if (!/^@?[\w:-][\w.:-]*(\/[\w:-][\w.:-]*)*$/.test(model))
    throw aiError(
      "badModelName",
      `model: expected a name such as @cf/mistral/…, got ${JSON.stringify(model)}.`,
    );
  return `${baseURL.replace(/\/+$/, "")}/accounts/${encodeURIComponent(accountId)}/ai/run/${model}`;
}

async function resultOf(response: Response): Promise<AiTextGenerationOutput | AiJsonOutput> {
  const text = await response.text();
  const { result, success, errors } = parse(text) ?? {};
  if (response.ok && success && result) return result;
  const [first] = errors ?? [];
  if (first) throw new AiError(first.message, first.code, response.status);
  throw aiError(
    "failed",
    `server: expected Workers AI's answer, got status ${response.status}: ${text.slice(0, 200)}`,
  );
}

function parse(text: string): Partial<AiEnvelope> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
