// How models write calls of tools: a table of formats, found by what the chat template writes itself.
import type { Tokenizer } from "../../tokenizer/index.ts";
import { unsupported } from "../options/parameter.ts";

/** A part of a call: a control token, a text, or what differs from call to call. */
export type Item =
  | { readonly kind: "control"; readonly id: number; readonly tag: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "name" | "arguments" | "id" };

/** The text of an answer with calls: `open`, calls with `between` between them, `close`. */
export interface Wire {
  readonly open: readonly Item[];
  readonly call: readonly Item[];
  readonly between: string;
  readonly close: string;
  /** Whether an answer may have several calls. */
  readonly several: boolean;
  /** A text that begins calls where no control token does: anywhere, or at the start of the answer only. */
  readonly trigger: { readonly text: string; readonly anywhere: boolean } | undefined;
}

/** A tag in angle or square brackets, which most vocabularies have as a token; or a text. */
type Part = string | { readonly hole: "name" | "arguments" | "id" };

interface Row {
  /** Found in the template. */
  readonly sign: RegExp;
  /** Not found in it. */
  readonly without?: RegExp;
  readonly open?: readonly Part[];
  readonly call: readonly Part[];
  readonly between?: string;
  readonly close?: string;
  readonly single?: true;
  readonly trigger?: Wire["trigger"];
}

const name = { hole: "name" } as const;
const args = { hole: "arguments" } as const;
const id = { hole: "id" } as const;
const list = { open: ["[TOOL_CALLS]", "["], between: ", ", close: "]" } as const;
const member = ['{"name": "', name, '", "arguments": ', args] as const;
/** Mistral 7B v0.3 sometimes writes the list without the token. */
const spelledList = { text: '[{"name": "', anywhere: false };

const ROWS: readonly Row[] = [
  // Mistral v11.
  { sign: /\[CALL_ID\]/, call: ["[TOOL_CALLS]", name, "[CALL_ID]", id, "[ARGS]", args] },
  // Mistral v13.
  { sign: /\[ARGS\]/, call: ["[TOOL_CALLS]", name, "[ARGS]", args] },
  // Mistral v3 and v7: the result names the call.
  {
    sign: /\[TOOL_CALLS\].*call_id|call_id.*\[TOOL_CALLS\]/s,
    ...list,
    call: [...member, ', "id": "', id, '"}'],
    trigger: spelledList,
  },
  // Mistral v2.
  { sign: /\[TOOL_CALLS\]/, ...list, call: [...member, "}"], trigger: spelledList },
  // Hermes, Qwen 2.5 and 3.
  {
    sign: /<tool_call>/,
    without: /<function=/,
    call: ["<tool_call>", '\n{"name": "', name, '", "arguments": ', args, "}\n", "</tool_call>"],
    between: "\n",
    trigger: { text: "<tool_call>", anywhere: true },
  },
  // Llama 3.1 to 3.3.
  {
    sign: /"parameters": /,
    call: ['{"name": "', name, '", "parameters": ', args, "}"],
    single: true,
    trigger: { text: '{"name": "', anywhere: false },
  },
];

/** @throws TypeError with `parameter` for a template whose calls are in another format */
export function wireOf(tokenizer: Tokenizer): Wire {
  const { chatTemplate = "" } = tokenizer;
  const row = ROWS.find(({ sign, without }) => sign.test(chatTemplate) && !without?.test(chatTemplate));
  if (!row)
    throw unsupported(
      "tools",
      "tools: expected a model that writes calls as those of Mistral, Hermes, Qwen or Llama, got one with another chat template. Leave them out.",
    );
  const spaced = chatTemplate.includes("[TOOL_CALLS] ") || chatTemplate.includes("[TOOL_CALLS]' + ' ");
  const open = itemsOf(row.open ?? [], tokenizer, spaced);
  const call = itemsOf(row.call, tokenizer, false);
  const { between = "", close = "", single = false, trigger } = row;
  const isSpelled = trigger === spelledList || [...open, ...call][0]?.kind === "text";
  return { open, call, between, close, several: !single, trigger: isSpelled ? trigger : undefined };
}

/** @param spaced whether the template writes a space after a tag */
function itemsOf(parts: readonly Part[], tokenizer: Tokenizer, spaced: boolean): Item[] {
  const items: Item[] = [];
  let before: (Item & { kind: "control" }) | undefined;
  const addText = (text: string) => {
    const last = items.at(-1);
    if (last?.kind === "text") items[items.length - 1] = { kind: "text", text: last.text + text };
    else if (text !== "") items.push({ kind: "text", text });
  };
  for (const part of parts) {
    const added = typeof part === "string" && tokenizer.addedTokens.find(({ content }) => content === part);
    if (added) {
      before = { kind: "control", id: added.id, tag: added.content };
      items.push(before);
      continue;
    }
    const text = typeof part === "string" ? part : "x";
    const written = before ? after(before, (spaced ? " " : "") + text, tokenizer) : text;
    addText(typeof part === "string" ? written : written.slice(0, -1));
    if (typeof part !== "string") items.push({ kind: part.hole });
    before = undefined;
  }
  return items;
}

/** What a text after a control token decodes to: SentencePiece puts a space in front. */
function after({ tag }: Item & { kind: "control" }, text: string, tokenizer: Tokenizer): string {
  const [, ...ids] = tokenizer.encode(tag + text, { bos: false, suffix: false });
  return tokenizer.decode(ids, { skipSpecial: false, continues: true });
}
