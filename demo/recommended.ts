// The models that the page offers by itself: those of models.json.
import { type KnownModel, knownBySource, knownModel, knownModels } from "../weights/known-models.ts";
import { type Choice, choiceName, EMBEDDED } from "./engine.ts";

export type { KnownModel } from "../weights/known-models.ts";
export { modelPage } from "../weights/known-models.ts";

export const choiceOf = ({ source }: KnownModel): Choice =>
  source === null ? EMBEDDED : { kind: "named", name: source };

/** Offered to a newcomer: one that most GPUs hold, and the one that this engine was made for. */
export const firstModels = ["smollm2", "mistral"].flatMap((alias) => knownModel(alias) ?? []);
const [embedded] = knownModels;
export const shownModels: readonly KnownModel[] = [embedded, ...firstModels];
export const moreModels = knownModels.filter((model) => !shownModels.includes(model));

/** What the list says of a choice. */
export const knownChoice = (choice: Choice | undefined): KnownModel | undefined =>
  choice?.kind === "named" ? knownBySource(choice.name) : undefined;

/** The list's title of a choice, or its own name. */
export const titleOf = (choice: Choice): string => knownChoice(choice)?.title ?? choiceName(choice);
