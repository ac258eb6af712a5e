// A client at the level of sockets: it can abort, read slowly, and send malformed requests.
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { eventData } from "../../../bench/events.ts";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Post {
  readonly path: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Aborted when the client leaves. */
  readonly signal?: AbortSignal;
  /** Uses its own connection and closes it: a request refused halfway may leave it unusable. */
  readonly alone?: boolean;
}

export class Client {
  readonly #url: URL;
  readonly key: string;
  // One connection, reused like in a client's pool.
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url: string, key: string) {
    this.#url = new URL(url);
    this.key = key;
  }

  /** Sends a request. @throws the socket's error if the server closes it without an answer */
  open({ path, body, headers = {}, signal, alone }: Post): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, this.#url),
        {
          method: "POST",
          agent: alone ? false : this.#agent,
          ...(signal && { signal }),
          headers: {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
            authorization: `Bearer ${this.key}`,
            ...headers,
          },
        },
        resolve,
      );
      // After an answer this is expected: a refused upload ends with a broken pipe.
      sent.on("error", reject);
      sent.end(body);
    });
  }

  async post(post: Post): Promise<Reply> {
    const response = await this.open(post);
    let text = "";
    for await (const part of response.setEncoding("utf8")) text += part;
    return { status: response.statusCode ?? 0, headers: response.headers, text };
  }

  /** Sends bytes as they are. @returns the bytes received until the server closed, or for `holdMs` */
  raw(bytes: string | Buffer, holdMs: number): Promise<string> {
    return new Promise((resolve) => {
      let text = "";
      const socket = connect(Number(this.#url.port), this.#url.hostname);
      const done = () => {
        clearTimeout(timer);
        socket.destroy();
        resolve(text);
      };
      const timer = setTimeout(done, holdMs);
      socket.on("data", (part) => {
        text += part;
      });
      socket.on("error", done);
      socket.on("close", done);
      socket.write(bytes);
    });
  }

  /**
   * Sends a request one byte at a time.
   * @returns milliseconds until the server closed it; undefined: never
   */
  trickle(mostMs: number): Promise<number | undefined> {
    return new Promise((resolve) => {
      const began = performance.now();
      const socket = connect(Number(this.#url.port), this.#url.hostname);
      const done = (closed: boolean) => () => {
        clearInterval(timer);
        clearTimeout(limit);
        socket.destroy();
        resolve(closed ? performance.now() - began : undefined);
      };
      socket.write("POST /v1/chat/completions HTTP/1.1\r\nHost: here\r\nX-Slow: ");
      const timer = setInterval(() => socket.write("a"), 100);
      const limit = setTimeout(done(false), mostMs);
      socket.on("data", () => {});
      socket.on("error", done(true));
      socket.on("close", done(true));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The events of a streamed answer, as JSON; the last is "[DONE]" if it is complete. */
export async function* events(response: IncomingMessage, pauseMs = 0): AsyncGenerator<unknown> {
  for await (const data of eventData(response, "the stream")) {
    yield data === "[DONE]" ? data : JSON.parse(data);
    if (pauseMs > 0) await sleep(pauseMs);
  }
}
