// The LoRA adapters of the loaded model, and which one the next answers use.
import { type AdapterSource, isLocal, type Model } from "./engine.ts";
import { Observable } from "./observable.ts";
import type { Session } from "./session.ts";

export class Adapters extends Observable {
  readonly #session: Session;
  #model: Model | undefined;
  #chosen: string | undefined;
  #adding: { readonly name: string; readonly stop: AbortController } | undefined;
  #problem = "";

  constructor(session: Session) {
    super();
    this.#session = session;
    session.watch(() => this.#follow());
  }

  /** The loaded model; undefined if there is none, or if it is behind a server. */
  get model(): Model | undefined {
    return this.#model;
  }

  get names(): readonly string[] {
    return this.#model?.adapters ?? [];
  }

  /** The name of the adapter of the next answers; undefined for none. */
  get chosen(): string | undefined {
    return this.#chosen;
  }

  /** The name of the one that is being read. */
  get adding(): string | undefined {
    return this.#adding?.name;
  }

  /** Why the last one was not added or removed; "" if it was. */
  get problem(): string {
    return this.#problem;
  }

  choose(name: string | undefined): void {
    this.#chosen = name;
    this.changed();
  }

  /** The next answers use it. @returns whether it was added; if not, `problem` says why */
  async add(name: string, source: AdapterSource): Promise<boolean> {
    const stop = new AbortController();
    this.#adding = { name, stop };
    const added = await this.#try((model) => model.addAdapter(name, source, { signal: stop.signal }), stop);
    if (this.#adding?.stop === stop) this.#adding = undefined;
    if (added) this.#chosen = name;
    this.changed();
    return added;
  }

  /** As `add`, under a name that is free: folders and files often have the same. */
  addFiles(name: string, files: readonly File[]): Promise<boolean> {
    let free = name;
    for (let i = 2; this.names.includes(free); i++) free = `${name} (${i})`;
    return this.add(free, files);
  }

  stopAdding(): void {
    this.#adding?.stop.abort();
  }

  async remove(name: string): Promise<void> {
    const removed = await this.#try((model) => model.removeAdapter(name));
    if (removed && this.#chosen === name) this.#chosen = undefined;
    this.changed();
  }

  /** @returns whether it worked, and the model is still the same */
  async #try(work: (model: Model) => Promise<void>, stop?: AbortController): Promise<boolean> {
    const model = this.#model;
    if (!model) return false;
    this.#problem = "";
    this.changed();
    try {
      await work(model);
    } catch (error) {
      if (model === this.#model && !stop?.signal.aborted)
        this.#problem = error instanceof Error ? error.message : String(error);
      return false;
    }
    return model === this.#model;
  }

  /** Another model has no adapters yet. */
  #follow(): void {
    const { state } = this.#session;
    const loaded = state.kind === "ready" && isLocal(state.model) ? state.model : undefined;
    if (loaded === this.#model) return;
    this.stopAdding();
    this.#model = loaded;
    this.#adding = this.#chosen = undefined;
    this.#problem = "";
    this.changed();
  }
}
