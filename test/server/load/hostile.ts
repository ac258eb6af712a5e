// Requests that must be refused, each with the status it must get.
import type { Behaviour, Task } from "./behaviours.ts";
import type { Post } from "./client.ts";

/** Over the limit of a body. */
const HUGE = Buffer.alloc(6 * 2 ** 20, "a");
const DEEP = `{"messages":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;

const path = ({ chat }: Task) => (chat ? "/v1/chat/completions" : "/v1/completions");

/** Sends, and expects one of the statuses; 0 means that the connection is closed without an answer. */
const refused =
  (what: string, statuses: readonly number[], make: (task: Task) => Post): Behaviour =>
  async (task) => {
    const post = make(task);
    const reply = await task.client.post({ ...post, alone: true }).catch((error: NodeJS.ErrnoException) => ({
      status: /^(ECONNRESET|EPIPE)$/.test(error.code ?? "") ? 0 : -1,
      text: error.message,
    }));
    if (statuses.includes(reply.status)) return undefined;
    return `${what}: expected ${statuses.join(" or ")}, got ${reply.status}: ${reply.text.slice(0, 200)}`;
  };

const json = (what: string, body: (task: Task) => unknown): Behaviour =>
  refused(what, [400], (task) => ({ path: path(task), body: JSON.stringify(body(task)) }));

const ask = ({ chat, prompt }: Task) =>
  chat ? { messages: [{ role: "user", content: prompt }] } : { prompt };

/** Invalid headers and invalid keys. */
export const wrongKeys = (key: string): readonly string[] => [
  "",
  "Bearer",
  "Bearer ",
  key,
  `Bearer ${key.slice(0, -1)}`,
  `Bearer ${key}x`,
  `Bearer ${key.toUpperCase()}`,
  `Bearer ${key} ${key}`,
  `Bearer ${key},`,
  `Basic ${Buffer.from(`user:${key}`).toString("base64")}`,
  "Bearer null",
  "Bearer undefined",
  `Bearer ${"k".repeat(key.length)}`,
  `Bearer ${key[0]}`,
];

export const wrongKey = (key: string): Behaviour => {
  const keys = wrongKeys(key);
  let next = 0;
  return refused("wrong key", [401], (task) => ({
    path: path(task),
    body: JSON.stringify(ask(task)),
    headers: { authorization: keys[next++ % keys.length] ?? "" },
  }));
};

export const hugeBody = refused("huge body", [413, 0], (task) => ({ path: path(task), body: HUGE }));

/** A request without a key is refused, however long its body is. */
export const hugeAndWrong = refused("huge body, wrong key", [401, 0], (task) => ({
  path: path(task),
  body: HUGE,
  headers: { authorization: "Bearer no" },
}));

export const deepJson = refused("deep JSON", [400], (task) => ({ path: path(task), body: DEEP }));

export const badUtf8 = refused("bad UTF-8", [400], (task) => ({
  path: path(task),
  body: Buffer.concat([
    Buffer.from('{"messages":[{"role":"user","content":"'),
    Buffer.of(0xff, 0xc0, 0x80),
    Buffer.from('"}]}'),
  ]),
}));

export const headerFlood = refused("header flood", [431, 0], (task) => ({
  path: path(task),
  body: JSON.stringify(ask(task)),
  headers: Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`x-flood-${i}`, "a".repeat(90)])),
}));

export const notJson = refused("no JSON", [400], (task) => ({ path: path(task), body: '{"prompt": ' }));

export const wrongValues = json("wrong values", (task) => ({ ...ask(task), max_tokens: "many" }));
export const negative = json("negative", (task) => ({ ...ask(task), max_tokens: -2 }));
export const notKnown = json("unknown field", (task) => ({ ...ask(task), tools: [{ type: "function" }] }));
export const tooMany = json("too many answers", (task) => ({ ...ask(task), n: 1000 }));
export const tooLong = json("too long", (task) => ({
  ...ask({ ...task, prompt: "word ".repeat(5000) }),
  max_tokens: 10,
}));
export const noRoute = refused("no such route", [404], (task) => ({
  path: `${path(task)}/../secrets`,
  body: JSON.stringify(ask(task)),
}));
