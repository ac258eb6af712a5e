// A server with OpenAI's streaming calls that answers at a known pace and records requests.

import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "../weights/loopback.ts";

export interface Body {
  readonly model: string;
  readonly prompt?: string;
  readonly messages?: readonly { readonly role: string; readonly content: string }[];
  readonly max_tokens: number;
  readonly stream_options?: { readonly include_usage: boolean };
}

export interface PacedServer {
  readonly url: string;
  readonly asked: Body[];
  readonly keys: (string | undefined)[];
  /** Answers that run now, and the largest number so far. */
  most: number;
  running: number;
  close(): Promise<void>;
}

export interface Pace {
  /** Milliseconds to the first token, and from one to the next. */
  readonly first: number;
  readonly between: number;
}

/** May answer a request itself. @returns whether it did */
type Instead = (request: IncomingMessage, response: ServerResponse, body: Body | undefined) => boolean;

export async function pacedServer(
  pace: Pace = { first: 0, between: 0 },
  instead: Instead = () => false,
): Promise<PacedServer> {
  const { url, close } = await serve(async (request, response) => {
    server.keys.push(request.headers.authorization);
    const text = await bodyOf(request);
    const body: Body | undefined = text ? JSON.parse(text) : undefined;
    if (body) server.asked.push(body);
    if (instead(request, response, body)) return;
    if (!body) return sendJson(response, 200, { object: "list", data: [{ id: "paper" }, { id: "other" }] });
    server.most = Math.max(server.most, ++server.running);
    response.on("close", () => server.running--);
    await answer(response, body, pace);
  });
  const server: PacedServer = { url, asked: [], keys: [], most: 0, running: 0, close };
  return server;
}

/** Sends `max_tokens` tokens, "a" each, and the usage if it is requested. */
async function answer(response: ServerResponse, body: Body, { first, between }: Pace): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  response.write(": a comment, as a heartbeat\n\n");
  await sleep(first);
  for (let i = 0; i < body.max_tokens && !response.destroyed; i++) {
    if (i > 0 && between > 0) await sleep(between);
    const last = i === body.max_tokens - 1;
    response.write(event({ choices: [{ ...piece(body, "a"), finish_reason: last ? "length" : null }] }));
  }
  const usage = { prompt_tokens: promptOf(body).split(" ").length, completion_tokens: body.max_tokens };
  if (body.stream_options?.include_usage) response.write(event({ choices: [], usage }));
  response.end("data: [DONE]\n\n");
}

export const promptOf = ({ prompt, messages }: Body): string => prompt ?? messages?.[0]?.content ?? "";

export const piece = ({ messages }: Body, text: string) =>
  messages ? { delta: { content: text } } : { text };

export const event = (value: unknown): string => `data: ${JSON.stringify(value)}\r\n\r\n`;

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request) text += part;
  return text;
}
