// What a model would need, shown before it is loaded.
import type { Choice, LoadOptions } from "./engine.ts";
import { windowOf } from "./last-model.ts";
import { Observable } from "./observable.ts";
import type { Offers } from "./offers.ts";
import { explain, type Trouble } from "./trouble.ts";

export type PreflightState =
  | { readonly kind: "closed" }
  | { readonly kind: "planning" }
  | { readonly kind: "planned"; readonly offers: Offers; readonly weights: LoadOptions["weights"] }
  | { readonly kind: "refused"; readonly trouble: Trouble };

export class Preflight extends Observable {
  #state: PreflightState = { kind: "closed" };
  #choice: Choice | undefined;
  #planning: AbortController | undefined;
  readonly #contextLength: () => number | undefined;

  /** @param contextLength what a model will be loaded with; undefined for its own */
  constructor(contextLength: () => number | undefined = () => undefined) {
    super();
    this.#contextLength = contextLength;
  }

  get state(): PreflightState {
    return this.#state;
  }

  get choice(): Choice | undefined {
    return this.#choice;
  }

  /** The Hub refused access: there was no token, or a wrong one. */
  get wantsToken(): boolean {
    return this.#state.kind === "refused" && this.#state.trouble.wantsToken === true;
  }

  async open(choice: Choice): Promise<void> {
    this.#planning?.abort();
    const planning = new AbortController();
    this.#planning = planning;
    this.#choice = choice;
    this.#become({ kind: "planning" });
    try {
      const { offers } = await import("./offers.ts");
      const found = await offers(choice, windowOf(choice), this.#contextLength(), planning.signal);
      if (this.#planning === planning)
        this.#become({ kind: "planned", offers: found, weights: found.fits.weights });
    } catch (error) {
      if (this.#planning === planning) this.#become({ kind: "refused", trouble: explain(error) });
    }
  }

  select(weights: LoadOptions["weights"]): void {
    if (this.#state.kind === "planned") this.#become({ ...this.#state, weights });
  }

  /** Gives a lost window back, or takes it away again. */
  async give(window: number | undefined): Promise<void> {
    const state = this.#state;
    const planning = this.#planning;
    if (state.kind !== "planned") return;
    try {
      const offers = await state.offers.withWindow(window);
      if (this.#planning === planning && this.#state.kind === "planned")
        this.#become({ ...this.#state, offers });
    } catch (error) {
      if (this.#planning === planning) this.#become({ kind: "refused", trouble: explain(error) });
    }
  }

  close(): void {
    this.#planning?.abort();
    this.#planning = undefined;
    this.#become({ kind: "closed" });
  }

  #become(state: PreflightState): void {
    this.#state = state;
    this.changed();
  }
}
