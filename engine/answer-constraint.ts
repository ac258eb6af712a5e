// Which tokens an answer of a format may have. A lazy chunk.
import { AfterThoughts } from "./answer/after-thoughts.ts";
import type { AnswerFormat } from "./api.ts";
import type { TokenConstraint } from "./scheduler/token-constraint.ts";
import { type Answering, constraintOf } from "./structured/constraint.ts";

interface Prompted extends Answering {
  /** The prompt, if it has opened a thought, which comes before the answer. */
  readonly opened: readonly number[] | undefined;
}

/**
 * @returns undefined if any text will do
 * @throws TypeError, RangeError with `parameter` for a format that cannot be held to
 */
export function answerConstraint(format: AnswerFormat, prompted: Prompted): TokenConstraint | undefined {
  const { tokenizer, continues, opened } = prompted;
  const constraint = constraintOf(format, { ...prompted, continues: continues || opened !== undefined });
  if (!opened || !constraint || !tokenizer) return constraint;
  return new AfterThoughts(constraint, { ...prompted, tokenizer, opened });
}
