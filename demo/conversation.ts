// A conversation as it is kept, and how one is read from data that nobody vouches for.
import { callsOf } from "./calls.ts";
import type { Finish, ToolCall } from "./engine.ts";

/** Facts about an answer. */
export interface Facts {
  readonly model: string;
  /** The name of the LoRA adapter that was used. Default: none. */
  readonly adapter?: string;
  /** `broken`: an error ended it. */
  readonly reason: Finish["reason"] | "broken";
  readonly tokens: number;
  /** Of the context, with the answer. */
  readonly context?: number;
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number | undefined;
  readonly seed: number;
}

export interface Thought {
  readonly text: string;
  readonly seconds: number;
}

export interface Turn {
  readonly role: "user" | "assistant" | "tool";
  /** Of a tool: what it returned. */
  readonly content: string;
  /** Of an answer: the calls that it asks for. The turns of their results come next. */
  readonly toolCalls?: readonly ToolCall[];
  /** Of a tool: the id of the call that it answers. */
  readonly toolCallId?: string;
  /** What the model thought before it answered. */
  readonly thought?: Thought;
  readonly facts?: Facts;
  /** Of an answer: the number of turns, from the first, that the model did not see. */
  readonly leftOut?: number;
}

export interface Conversation {
  readonly id: string;
  /** Given by the visitor. Default: the first words. */
  readonly title?: string;
  /** When its last turn was added, in ms since 1970. */
  readonly updated: number;
  readonly turns: readonly Turn[];
}

const REASONS = ["stop", "length", "abort", "tool-calls", "content-filter", "broken"] as const;
/** Usable in an address and as a key. "models" is the address of another place. */
const ID = /^(?!models$)[\w-]{1,64}$/;
export const LONGEST_TITLE = 120;

/** undefined if it is not a conversation. Fields that nobody knows are dropped. */
export function conversationOf(value: unknown): Conversation | undefined {
  const { id, title, updated, turns } = record(value);
  if (typeof id !== "string" || !ID.test(id) || !isCount(updated) || !Array.isArray(turns)) return undefined;
  const read = turns.map(turnOf);
  if (read.length === 0 || read.includes(undefined) || !resultsFit(read as Turn[])) return undefined;
  const named = typeof title === "string" && title.trim() !== "";
  return { id, updated, turns: read as Turn[], ...(named && { title: title.slice(0, LONGEST_TITLE) }) };
}

function turnOf(value: unknown): Turn | undefined {
  const { role, content, toolCalls, toolCallId, thought, facts, leftOut } = record(value);
  if ((role !== "user" && role !== "assistant" && role !== "tool") || typeof content !== "string")
    return undefined;
  const calls = role === "assistant" && toolCalls !== undefined ? callsOf(toolCalls) : [];
  if (calls === undefined) return undefined;
  const { text, seconds } = record(thought);
  const isThought = typeof text === "string" && isCount(seconds);
  if (thought !== undefined && !isThought) return undefined;
  const known = factsOf(facts);
  return {
    ...{ role, content },
    ...(calls.length > 0 && { toolCalls: calls }),
    ...(role === "tool" && { toolCallId: String(toolCallId) }),
    ...(isThought && { thought: { text, seconds } }),
    ...(known && { facts: known }),
    ...(isCount(leftOut) && leftOut > 0 && { leftOut }),
  };
}

/** Whether each result comes right after the answer with its call, and no call has two. */
function resultsFit(turns: readonly Turn[]): boolean {
  let calls = new Set<string>();
  return turns.every(({ role, toolCalls = [], toolCallId = "" }) => {
    if (role === "tool") return calls.delete(toolCallId);
    calls = new Set(toolCalls.map(({ id }) => id));
    return true;
  });
}

/** undefined if there are none, or one of them is wrong. */
function factsOf(value: unknown): Facts | undefined {
  const { model, adapter, reason, tokens, context, firstTokenMs, tokensPerSecond, seed } = record(value);
  const ended = REASONS.find((each) => each === reason);
  if (typeof model !== "string" || ended === undefined) return undefined;
  if (!isCount(tokens) || !isCount(firstTokenMs) || !isCount(seed)) return undefined;
  const speed = isCount(tokensPerSecond) ? tokensPerSecond : undefined;
  const rest = { tokens, firstTokenMs, tokensPerSecond: speed, seed, ...(isCount(context) && { context }) };
  return { model, ...(typeof adapter === "string" && { adapter }), reason: ended, ...rest };
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  Object(value) as Record<string, unknown>;

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value) && value >= 0;
