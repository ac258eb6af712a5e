// A call of every method of Model that answers. A new method without one does not compile.
import type { Model } from "../../engine/api.ts";

type Facts = "config" | "plan" | "adapter" | "contextLength" | "adapters" | "dispose";

const hello = [{ role: "user", content: "Hi" }] as const;

/** Reads a stream to its end. */
export async function readAll(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of chunks);
}

/** Each with arguments that are right. */
export const EVERY_CALL: Readonly<Record<Exclude<keyof Model, Facts>, (model: Model) => Promise<unknown>>> = {
  openai: (model) => model.openai.chat.completions.create({ messages: hello }),
  generate: (model) => readAll(model.generate("Once")),
  chat: (model) => readAll(model.chat(hello)),
  answer: (model) => model.answer(hello),
  extract: (model) => model.extract(hello, { temperature: 0, type: "object" }),
  classify: (model) => model.classify("Hi", ["a", "b"]),
  moderate: (model) => model.moderate("Hi"),
  score: (model) => model.score("Once upon"),
  logits: (model) => model.logits([1]),
  encode: (model) => model.encode("Hi"),
  encodeChat: (model) => model.encodeChat(hello),
  decode: (model) => model.decode([1]),
  tokenizerInfo: (model) => model.tokenizerInfo(),
  profile: (model) => model.profile(),
  attention: (model) => model.attention([1], { layer: 0 }),
  candidates: (model) => model.candidates([1]),
  saveSession: (model) => model.saveSession(),
  restoreSession: (model) => model.restoreSession(new Uint8Array(8)),
  addAdapter: (model) => model.addAdapter("a", "no such folder"),
  removeAdapter: (model) => model.removeAdapter("a"),
  activity: (model) => model.activity(),
};

/** What every call rejects with after `dispose`. */
export const DISPOSED = { name: "DeviceLostError", code: "disposed" };
