// What the model says of its work at this moment.
import type { Model } from "../engine/node.ts";

export interface Activity {
  readonly parallel: number;
  readonly running: number;
  readonly waiting: number;
  readonly rings: number;
  readonly cachedTokens: number;
  readonly cacheSlots: number;
  readonly steps: number;
  readonly stepRows: number;
  readonly prefillTokens: number;
  readonly decodedTokens: number;
  readonly reusedTokens: number;
}

/** Empty where the model does not tell. */
export async function activityOf(model: Model): Promise<Partial<Activity>> {
  const { activity } = model as Model & { readonly activity?: () => Promise<Activity> };
  return (await activity?.call(model)) ?? {};
}
