// The numbers among the settings: what each may be, and presets of them.
import { DEFAULTS, type SettingValues } from "./settings.ts";

export type NumberName =
  | "temperature"
  | "topP"
  | "topK"
  | "minP"
  | "repetitionPenalty"
  | "maxTokens"
  | "seed"
  | "contextLength";

export interface NumberField {
  readonly name: NumberName;
  readonly label: string;
  readonly hint: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** What an empty field means. Default: it must not be empty. */
  readonly empty?: string;
}

export const FIELDS: readonly NumberField[] = [
  {
    name: "temperature",
    label: "Temperature",
    hint: "0: always the likeliest word",
    min: 0,
    max: 3,
    step: 0.05,
  },
  { name: "topP", label: "Top-p", hint: "keep the likeliest up to this sum", min: 0.01, max: 1, step: 0.01 },
  { name: "topK", label: "Top-k", hint: "keep this many; 0: all", min: 0, max: 1000, step: 1 },
  {
    name: "minP",
    label: "Min-p",
    hint: "keep at least this fraction of the best",
    min: 0,
    max: 1,
    step: 0.01,
  },
  { name: "repetitionPenalty", label: "Repetition penalty", hint: "1: none", min: 0.5, max: 2, step: 0.05 },
  { name: "maxTokens", label: "Most tokens", hint: "of an answer", min: 1, max: 32768, step: 1 },
  {
    name: "seed",
    label: "Seed",
    hint: "same seed, same answer",
    min: 0,
    max: 2 ** 32 - 1,
    step: 1,
    empty: "random",
  },
];

export const CONTEXT_FIELD: NumberField = {
  name: "contextLength",
  label: "Context length",
  hint: "Tokens of a conversation that the model can see. More takes more memory. A model behind a server has its own.",
  min: 64,
  max: 1_048_576,
  step: 1,
  empty: "the model's own",
};

/** @returns why a field's text is not a value of it; undefined if it is one */
export function refusal({ min, max, step, empty }: NumberField, text: string): string | undefined {
  const value = Number(text);
  const isEmpty = text.trim() === "";
  if (isEmpty && empty !== undefined) return undefined;
  const isWhole = !Number.isInteger(step) || Number.isInteger(value);
  if (!isEmpty && value >= min && value <= max && isWhole) return undefined;
  const kind = Number.isInteger(step) ? "A whole number" : "A number";
  return `${kind} from ${min} to ${max}${empty === undefined ? "" : `, or empty: ${empty}`}. The earlier value stays in use.`;
}

type Sampling = Pick<SettingValues, "temperature" | "topP" | "topK" | "minP" | "repetitionPenalty">;
const sampling = ({ temperature, topP, topK, minP, repetitionPenalty }: SettingValues): Sampling => ({
  ...{ temperature, topP, topK, minP, repetitionPenalty },
});

export const PRESETS: Readonly<Record<string, Sampling>> = {
  Precise: { ...sampling(DEFAULTS), temperature: 0.2 },
  Balanced: sampling(DEFAULTS),
  Creative: { ...sampling(DEFAULTS), temperature: 1, topP: 0.95, minP: 0.05 },
};

/** The name of the preset that these values are; undefined if they are the visitor's own. */
export const presetOf = (values: SettingValues): string | undefined =>
  Object.keys(PRESETS).find((name) =>
    Object.entries(PRESETS[name] ?? {}).every(([key, value]) => values[key as keyof Sampling] === value),
  );
