// HTTP requests that are repeated when the server says "later". Errors say what to do.
import { setTimeout as sleep } from "node:timers/promises";

const MAX_TRIES = 20;
/** Longest wait before the next try, even if the server asks for more. */
const MAX_SECONDS = 60;

/** The server answered with an error. */
export class RefusedError extends Error {
  readonly status: number;
  /** The server's message. */
  readonly said: string;

  constructor(url: string, status: number, said: string) {
    super(`${url}: expected an answer, got ${status}${said && `: ${said}`}. ${advice(status)}`);
    this.status = status;
    this.said = said;
  }
}

/**
 * Repeats the request after 429, and after 503 with Retry-After, when the server says.
 * @param waited called with the seconds of each wait
 * @throws RefusedError, or an Error if the server cannot be reached
 */
export async function request(
  url: string,
  init: RequestInit & { readonly signal: AbortSignal },
  waited: (seconds: number) => void = () => {},
): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const response = await fetch(url, init).catch((error: unknown) => {
      throw init.signal.aborted ? init.signal.reason : unreachable(url, error);
    });
    if (response.ok) return response;
    const after = response.headers.get("retry-after");
    const text = await response.text().catch(() => "");
    const later = response.status === 429 || (response.status === 503 && after !== null);
    if (!later || tries === MAX_TRIES) throw new RefusedError(url, response.status, messageIn(text));
    const seconds = retrySeconds(after, Date.now());
    waited(seconds);
    await sleep(1000 * seconds, undefined, { signal: init.signal });
  }
}

/** Seconds to wait by Retry-After, which is a number of seconds or a date. Default 1. */
export function retrySeconds(header: string | null, now: number): number {
  if (header === null) return 1;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isNaN(seconds) ? 1 : Math.min(MAX_SECONDS, Math.max(0, seconds));
}

/** The cause of "fetch failed", which is all that `fetch` says. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const { code, message: deeper } = (cause ?? {}) as { code?: string; message?: string };
  return deeper || code || message;
}

const unreachable = (url: string, error: unknown) =>
  new Error(`${url}: nobody answers (${reasonOf(error)}). Start the server, or give its address with --url.`);

/** OpenAI's `{ error: { message } }`, other JSON or text, on one short line. */
function messageIn(text: string): string {
  let said = text;
  try {
    const { error, message, detail } = JSON.parse(text);
    said = error?.message ?? error ?? message ?? detail ?? text;
  } catch {
    // Not JSON: the beginning of the page or text is shown.
  }
  return excerpt(typeof said === "string" ? said : JSON.stringify(said));
}

export const excerpt = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line.replace(/\.$/, "");
};

function advice(status: number): string {
  if (status === 401 || status === 403) return "Give the server's key with --api-key or SIROCCO_API_KEY.";
  if (status === 404)
    return "--url takes the address that /v1/… follows, --model a name that the server has.";
  if (status === 429) return `It was asked ${MAX_TRIES} times: use fewer --streams.`;
  return "See the server's log.";
}
