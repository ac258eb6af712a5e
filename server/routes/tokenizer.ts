// vLLM's routes of the tokenizer, at the root: /tokenizer_info, /tokenize, /detokenize. Programs such as
// lm-evaluation-harness use them in place of a tokenizer of their own.
import { Hono } from "hono";
import { readRequest } from "../../engine/apis/openai/request.ts";
import { type Given, isNothing, refuseOthers } from "../../engine/apis/quiet-fields.ts";
import { readFlag, readText } from "../../engine/apis/request-options.ts";
import { shown, unsupported, wrongType } from "../../engine/options/parameter.ts";
import type { ChatCompletionCreateParams } from "../../engine/types/openai.ts";
import { readBody } from "../body.ts";
import { checkTokenizer, encodeMessages, encodeText } from "../context-check.ts";
import { authorize } from "../middleware.ts";
import type { Env } from "../request-lifecycle.ts";
import type { Service } from "../service.ts";
import { checkServed } from "./models.ts";
import { textOfTokens } from "./tokens.ts";

const CHAT = ["messages", "tools", "add_generation_prompt", "continue_final_message"] as const;
const KNOWN = new Set(["model", "prompt", "add_special_tokens", ...CHAT]);

export function tokenizer(service: Service): Hono<Env> {
  const app = new Hono<Env>();
  for (const path of ["/tokenizer_info", "/tokenize", "/detokenize"]) app.use(path, authorize(service));

  /** The model is never padded: there is no token for it. */
  app.get("/tokenizer_info", async (c) => {
    const { bosToken, eosToken, chatTemplate } = await checkTokenizer(service.model);
    return c.json({
      bos_token: bosToken ?? null,
      eos_token: eosToken ?? null,
      pad_token: null,
      chat_template: chatTemplate ?? null,
    });
  });

  /** `{ prompt, add_special_tokens }` or `{ messages }` -> `{ tokens, count, max_model_len }` */
  app.post("/tokenize", async (c) => {
    const given = await readBody(c, service.limits);
    refuseOthers(given, KNOWN);
    checkServed(service, readText(given, "model"));
    const { signal } = c.get("lifecycle");
    const tokens = isNothing(given["messages"])
      ? await ofPrompt(service, given, signal)
      : await ofMessages(service, given, signal);
    return c.json({ tokens, count: tokens.length, max_model_len: service.contextLength });
  });

  /** `{ tokens }` -> `{ prompt }` */
  app.post("/detokenize", async (c) => c.json({ prompt: await textOfTokens(c, service) }));
  return app;
}

async function ofPrompt(service: Service, given: Given, signal: AbortSignal): Promise<readonly number[]> {
  const chat = CHAT.find((field) => !isNothing(given[field]));
  if (chat) throw unsupported(chat, `${chat}: expected messages with it, got none. Leave it out.`);
  const { prompt } = given;
  if (typeof prompt !== "string")
    throw wrongType("prompt", `expected a text, or messages in place of it, got ${shown(prompt)}.`);
  const asIs = !readFlag(given, "add_special_tokens", true);
  return encodeText(service, prompt, "prompt", signal, asIs ? { bos: false } : {});
}

async function ofMessages(service: Service, given: Given, signal: AbortSignal): Promise<readonly number[]> {
  const { prompt, add_special_tokens: _, ...chat } = given;
  if (!isNothing(prompt)) throw unsupported("prompt", "prompt: expected none with messages. Leave it out.");
  if (readFlag(given, "add_special_tokens"))
    throw unsupported(
      "add_special_tokens",
      "add_special_tokens: expected false with messages, got true. The chat template adds them.",
    );
  const { messages, options } = readRequest(chat as unknown as ChatCompletionCreateParams);
  return (await encodeMessages(service, messages, "messages", { ...options, signal })).ids;
}
