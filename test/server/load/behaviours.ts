// Behaviours of clients. Each returns what the server did wrong, or undefined.
import { setTimeout as sleep } from "node:timers/promises";
import type { Client, Reply } from "./client.ts";
import { events } from "./client.ts";
import { ENDLESS } from "./paper-model.ts";

/** The expected answer. */
export interface Expected {
  readonly text: string;
  readonly reason: string;
}

export interface Task {
  readonly client: Client;
  readonly prompt: string;
  readonly maxTokens: number;
  readonly seed: number;
  readonly expected: Expected;
  /** Chat or text completions. */
  readonly chat: boolean;
  /** Default 0. */
  readonly temperature?: number;
  /** Called if the queue is full. */
  readonly refused?: () => void;
  /** Tokens that aborted requests ask for. Default 3000. */
  readonly cutTokens?: number;
}

export type Behaviour = (task: Task) => Promise<string | undefined>;

const pathOf = ({ chat }: Task) => (chat ? "/v1/chat/completions" : "/v1/completions");

const bodyOf = ({ prompt, maxTokens, seed, chat, temperature = 0 }: Task, more: object = {}): string =>
  JSON.stringify({
    ...(chat ? { messages: [{ role: "user", content: prompt }] } : { prompt }),
    ...{ max_tokens: maxTokens, seed, temperature, ...more },
  });

interface Choice {
  readonly text?: string;
  readonly message?: { readonly content: string };
  readonly delta?: { readonly content?: string };
  readonly finish_reason?: string | null;
}

/** Retries until the queue accepts it. A refusal must say when to retry. */
async function persist({ refused }: Task, ask: () => Promise<Reply>): Promise<Reply> {
  for (let tries = 0; ; tries++) {
    const reply = await ask();
    if (reply.status !== 429 || tries === 2000) return reply;
    refused?.();
    if (!/^\d+$/.test(reply.headers["retry-after"] ?? ""))
      return { ...reply, text: `no Retry-After in ${JSON.stringify(reply.headers)}` };
    await sleep(50);
  }
}

/** An answer in one piece. */
export const whole: Behaviour = async (task) => {
  const { client, expected } = task;
  const reply = await persist(task, () => client.post({ path: pathOf(task), body: bodyOf(task) }));
  if (reply.status !== 200) return `whole: got ${reply.status}: ${reply.text}`;
  const [choice]: Choice[] = JSON.parse(reply.text).choices;
  return compare("whole", expected, choice?.message?.content ?? choice?.text, choice?.finish_reason);
};

const streamed =
  (what: string, pauseMs: number): Behaviour =>
  async (task) => {
    for (let tries = 0; tries < 2000; tries++) {
      const more = { stream: true, stream_options: { include_usage: true } };
      const response = await task.client.open({ path: pathOf(task), body: bodyOf(task, more) });
      if (response.statusCode === 429) {
        task.refused?.();
        response.resume();
        await sleep(50);
        continue;
      }
      if (response.statusCode !== 200) return `${what}: got ${response.statusCode}`;
      let text = "";
      let reason: string | null | undefined;
      let last: unknown;
      let counted = 0;
      for await (const event of events(response, pauseMs)) {
        last = event;
        const { choices, usage, error } = event as {
          choices?: Choice[];
          usage?: { completion_tokens: number };
          error?: unknown;
        };
        if (error) return `${what}: got an error: ${JSON.stringify(error)}`;
        counted = usage?.completion_tokens ?? counted;
        text += choices?.[0]?.delta?.content ?? choices?.[0]?.text ?? "";
        reason = choices?.[0]?.finish_reason ?? reason;
      }
      if (last !== "[DONE]") return `${what}: ended without [DONE], after "${text}"`;
      if (counted < 1) return `${what}: no usage`;
      return compare(what, task.expected, text, reason);
    }
    return `${what}: never let in`;
  };

export const stream = streamed("stream", 0);
export const slow = streamed("slow reader", 8);

/** Leaves in the middle of a stream. */
export const cut: Behaviour = async (task) => {
  const endless = { ...task, prompt: `${ENDLESS} ${task.prompt}`, maxTokens: task.cutTokens ?? 3000 };
  const response = await task.client.open({ path: pathOf(endless), body: bodyOf(endless, { stream: true }) });
  if (response.statusCode === 429) {
    response.resume();
    return undefined;
  }
  if (response.statusCode !== 200) return `cut: got ${response.statusCode}`;
  let seen = 0;
  for await (const _ of events(response)) if (++seen > 4) break;
  response.destroy();
  return seen > 4 ? undefined : `cut: the server was first, after ${seen} events`;
};

/** Leaves while the server works, or while it waits, for an answer in one piece. */
export const cutWhole: Behaviour = async (task) => {
  const endless = { ...task, prompt: `${ENDLESS} ${task.prompt}`, maxTokens: task.cutTokens ?? 3000 };
  const gone = new AbortController();
  const asked = task.client.open({ path: pathOf(endless), body: bodyOf(endless), signal: gone.signal });
  const ended = asked.then(
    (response) => {
      response.resume();
      return response.statusCode === 429 ? undefined : `cut whole: got ${response.statusCode}`;
    },
    () => undefined,
  );
  await sleep(40);
  gone.abort();
  return ended;
};

/** Leaves in the middle of its own body. */
export const cutUpload: Behaviour = async (task) => {
  const head = [
    `POST ${pathOf(task)} HTTP/1.1`,
    "Host: here",
    "Content-Type: application/json",
    `Authorization: Bearer ${task.client.key}`,
    "Content-Length: 5000",
  ];
  await task.client.raw(`${head.join("\r\n")}\r\n\r\n{"prompt": "`, 30);
  return undefined;
};

function compare(
  what: string,
  { text, reason }: Expected,
  gotText: string | undefined,
  gotReason: string | null | undefined,
): string | undefined {
  if (gotText === text && gotReason === reason) return undefined;
  return `${what}: expected "${text}" (${reason}), got "${gotText}" (${gotReason})`;
}
