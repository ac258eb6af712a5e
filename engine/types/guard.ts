// What a text is: one of some labels, with probabilities.
import type { PassOptions } from "./answer.ts";

/** Options of `Model.classify`. */
export interface ClassifyOptions extends PassOptions {
  /**
   * What the model is asked, with `{text}` where the text goes and `{labels}` where the labels go, a line
   * each. Not with messages. Default: a question for the label that fits best, with the list of labels.
   */
  readonly prompt?: string;
  /**
   * Leaves out the chat template: each label continues the prompt as it is. Without `prompt` the text is the
   * whole prompt. For base models. Default false.
   */
  readonly raw?: boolean;
  /**
   * Compares labels by the mean log-probability of their tokens, not by the sum. The sum is the probability
   * of the label; it is right where the prompt lists the labels, since the rest of a label is certain once it
   * has begun. Where the prompt does not list them, the sum is unfair to long labels. Default false.
   */
  readonly normalize?: boolean;
}

/** Result of `Model.classify`. */
export interface Classification<Label extends string = string> {
  /** The likeliest label; of equals the first. */
  readonly label: Label;
  /** The probability of each label, given that it is one of them. They add up to 1. */
  readonly probabilities: Readonly<Record<Label, number>>;
  /** Tokens of the prompt that all labels share. It is computed once. */
  readonly promptTokens: number;
  /** Those of them whose keys and values were still in the cache. */
  readonly cachedTokens: number;
}

/** What `Model.moderate` finds: the categories of section 5.3 of the paper of Mistral 7B. */
export type ModerationCategory =
  /** Terrorism, child abuse, fraud and the like. */
  | "illegal_activities"
  /** Hateful, harassing or violent content: discrimination, self-harm, bullying and the like. */
  | "hateful_or_violent_content"
  /** Legal, medical or financial advice. */
  | "unqualified_advice";

/** Options of `Model.moderate`. */
export interface ModerateOptions extends PassOptions {
  /** Whether the text is a user's prompt or a model's answer. Default "prompt". */
  readonly kind?: "prompt" | "answer";
}

/** Result of `Model.moderate`. */
export interface Moderation {
  /** Whether the model finds it more likely that the text is not acceptable than that it is. */
  readonly flagged: boolean;
  /** The likeliest category of a flagged text is true, the others are false. */
  readonly categories: Readonly<Record<ModerationCategory, boolean>>;
  /** The probability of each category. The rest up to 1 is that of an acceptable text. */
  readonly scores: Readonly<Record<ModerationCategory, number>>;
  /** Tokens of the prompt that asks the model. */
  readonly promptTokens: number;
  /** Those of them whose keys and values were still in the cache. */
  readonly cachedTokens: number;
}
