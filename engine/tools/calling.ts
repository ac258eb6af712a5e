// The calls of one answer: what holds them to their format, and what reads them.
import type { Tokenizer } from "../../tokenizer/index.ts";
import { nineCharacterId } from "../../tokenizer/tool-ids.ts";
import { AfterThoughts } from "../answer/after-thoughts.ts";
import type { ChatOptions } from "../api.ts";
import type { TokenConstraint } from "../scheduler/token-constraint.ts";
import { vocabularyOf } from "../structured/token-bytes.ts";
import type { Tool } from "../types/tools.ts";
import { callGrammar } from "./call-grammar.ts";
import { CallReader } from "./call-reader.ts";
import { ToolConstraint } from "./tool-constraint.ts";
import { wireOf } from "./wire.ts";

/** Calls of an answer, at most: small models repeat them for ever. */
const MAX_CALLS = 16;

/** A prompt that shows tools. */
interface Prompt {
  readonly ids: readonly number[];
  readonly tools?: readonly Tool[];
}

interface Vocabulary {
  readonly tokenizer: Tokenizer | undefined;
  /** Logits of a step. */
  readonly V: number;
  readonly endIds: ReadonlySet<number>;
  /** Whether the prompt has opened a thought: calls begin after it. */
  readonly thinks: boolean;
}

export interface AnswerCalls {
  readonly constraint: TokenConstraint;
  readonly calls: CallReader;
}

/**
 * Ids of calls are made from the prompt, so that none is in a conversation twice.
 * @throws TypeError with `parameter` for a schema that cannot be held to
 */
export function answerCalls(
  { ids: prompt, tools = [] }: Prompt,
  { toolChoice = "auto", parallelToolCalls = true, seed }: ChatOptions,
  { tokenizer, V, endIds, thinks }: Vocabulary,
): AnswerCalls | undefined {
  if (!tokenizer) return undefined;
  const wire = wireOf(tokenizer);
  const name = typeof toolChoice === "object" ? toolChoice.name : undefined;
  const allowed = tools.filter((tool) => name === undefined || tool.name === name);
  const salt = seed ?? Math.random();
  const most = wire.several && parallelToolCalls && name === undefined ? MAX_CALLS : 1;
  const ids = Array.from({ length: most }, (_, i) => nineCharacterId(`${prompt.join()} ${salt} ${i}`));
  const forced = toolChoice !== "auto";
  const calling = {
    ...{ wire, ids, V, endIds },
    grammar: callGrammar(allowed, tools),
    vocabulary: vocabularyOf(tokenizer, V),
  };
  const constraint = new ToolConstraint(calling, forced, thinks);
  return {
    constraint: thinks ? new AfterThoughts(constraint, { tokenizer, V, endIds, opened: prompt }) : constraint,
    calls: new CallReader(
      wire,
      ids,
      allowed.map((tool) => tool.name),
      forced,
    ),
  };
}
