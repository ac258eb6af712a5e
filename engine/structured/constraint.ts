// The constraint of one answer: its format, for the tokens of a model.
import type { Tokenizer } from "../../tokenizer/index.ts";
import { unsupported } from "../options/parameter.ts";
import type { TokenConstraint } from "../scheduler/token-constraint.ts";
import type { AnswerFormat } from "../types/format.ts";
import { machineOf } from "./format.ts";
import { FormatConstraint } from "./format-constraint.ts";
import { vocabularyOf } from "./token-bytes.ts";

export interface Answering {
  /** undefined: the model's tokens have no texts. */
  readonly tokenizer: Tokenizer | undefined;
  /** Logits of a step. */
  readonly V: number;
  /** Tokens that end an answer. */
  readonly endIds: ReadonlySet<number>;
  /** Whether the answer goes on with a text. */
  readonly continues: boolean;
}

/**
 * @returns undefined if any text will do
 * @throws TypeError, RangeError with `parameter` for a format that cannot be held to
 */
export function constraintOf(
  format: AnswerFormat,
  { tokenizer, V, endIds, continues }: Answering,
): TokenConstraint | undefined {
  const machine = machineOf(format);
  if (!machine) return undefined;
  if (!tokenizer)
    throw unsupported(
      "format",
      "format: expected a model with a tokenizer, got one of token ids only. Leave it out.",
    );
  return new FormatConstraint(machine, vocabularyOf(tokenizer, V), { endIds, continues });
}
