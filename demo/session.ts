// The current model: loads it, unloads it, reports what went wrong.
import { type ChatModel, type Choice, choiceName, type LoadOptions, type Progress } from "./engine.ts";
import { load } from "./load.ts";
import { Observable } from "./observable.ts";
import { ProgressMeter } from "./progress-meter.ts";
import { explain, type Trouble } from "./trouble.ts";

export type LoadChoices = Pick<LoadOptions, "weights" | "takeOver" | "store" | "window">;

/** The GPU was lost during an answer, and the model is being loaded onto a new device. */
export interface Restoring {
  readonly progress: Progress;
  readonly meter: ProgressMeter;
}

export type SessionState =
  | { readonly kind: "empty" }
  | { readonly kind: "loading"; readonly progress: Progress | undefined; readonly meter: ProgressMeter }
  | { readonly kind: "ready"; readonly model: ChatModel; readonly restoring?: Restoring | undefined }
  | { readonly kind: "failed"; readonly trouble: Trouble };

export class Session extends Observable {
  #state: SessionState = { kind: "empty" };
  #choice: Choice = { kind: "embedded" };
  #choices: LoadChoices = {};
  readonly #asked: () => number | undefined;
  #contextLength: number | undefined;
  #loading: AbortController | undefined;
  /** Callers that wait for a model. */
  #waiting: { resolve(model: ChatModel): void; reject(error: unknown): void }[] = [];

  /** @param contextLength what the next model is loaded with; undefined for its own */
  constructor(contextLength: () => number | undefined = () => undefined) {
    super();
    this.#asked = contextLength;
  }

  /** What the current model was loaded with; undefined for its own. */
  get contextLength(): number | undefined {
    return this.#contextLength;
  }

  get state(): SessionState {
    return this.#state;
  }

  get choice(): Choice {
    return this.#choice;
  }

  get name(): string {
    return choiceName(this.#choice);
  }

  /** Unloads the current model and loads another. If that fails, `state` says why. */
  async load(choice: Choice, choices: LoadChoices = {}): Promise<void> {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    if (this.#state.kind === "ready") this.#state.model.dispose();
    this.#choice = choice;
    this.#choices = choices;
    this.#contextLength = this.#asked();
    const context = this.#contextLength === undefined ? {} : { contextLength: this.#contextLength };
    const meter = new ProgressMeter();
    this.#become({ kind: "loading", progress: undefined, meter });
    let loaded: ChatModel | undefined;
    const onProgress = (progress: Progress): void => {
      if (loaded) this.#restore(loaded, progress);
      if (this.#loading !== loading) return;
      meter.add(progress);
      this.#become({ kind: "loading", progress, meter });
    };
    try {
      const model = await load(choice, { ...choices, ...context, onProgress, signal: loading.signal });
      // Another model was chosen meanwhile.
      if (this.#loading !== loading) return model.dispose();
      this.#loading = undefined;
      loaded = model;
      this.#become({ kind: "ready", model });
      for (const { resolve } of this.#waiting.splice(0)) resolve(model);
    } catch (error) {
      if (this.#loading === loading) this.#fail(explain(error));
    }
  }

  /** Loads the same model again, with `changes`. */
  reload(changes: LoadChoices = {}): Promise<void> {
    return this.load(this.#choice, { ...this.#choices, ...changes });
  }

  /** Stops loading. */
  cancel(): void {
    this.#loading?.abort();
    this.#loading = undefined;
    this.#become({ kind: "empty" });
    this.#dismissWaiting();
  }

  /** The model works. @returns whether it was lost and loaded again just now */
  restored(): boolean {
    const state = this.#state;
    if (state.kind !== "ready" || !state.restoring) return false;
    this.#become({ kind: "ready", model: state.model });
    return true;
  }

  /** The model was lost while it was used. */
  lost(trouble: Trouble): void {
    if (this.#state.kind === "ready") this.#state.model.dispose();
    this.#fail(trouble);
  }

  /** The model, once one is loaded. @throws AbortError if loading fails or is stopped, or none is loading */
  async model(signal: AbortSignal): Promise<ChatModel> {
    if (this.#state.kind === "ready") return this.#state.model;
    if (this.#state.kind !== "loading") throw noModel();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  #restore(model: ChatModel, progress: Progress): void {
    const state = this.#state;
    if (state.kind !== "ready" || state.model !== model) return;
    const meter = state.restoring?.meter ?? new ProgressMeter();
    meter.add(progress);
    this.#become({ kind: "ready", model, restoring: { progress, meter } });
  }

  #fail(trouble: Trouble): void {
    this.#loading = undefined;
    this.#become({ kind: "failed", trouble });
    this.#dismissWaiting();
  }

  #dismissWaiting(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(noModel());
  }

  #become(state: SessionState): void {
    this.#state = state;
    this.changed();
  }
}

const noModel = () => new DOMException("No model is loaded.", "AbortError");
