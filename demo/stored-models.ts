// The weights that this browser keeps for the next visit, as the models page shows them.
import { modelStore, type StoredModel } from "./engine.ts";
import { Observable } from "./observable.ts";
import { explain, type Trouble } from "./trouble.ts";

export class StoredModels extends Observable {
  /** undefined: not looked yet. */
  all: readonly StoredModel[] | undefined;
  /** Has the browser promised not to delete them by itself? */
  persisted = false;
  trouble: Trouble | undefined;

  async refresh(): Promise<void> {
    await this.#try(async () => {
      this.all = await modelStore.listStoredModels();
      this.persisted = (await navigator.storage?.persisted?.()) ?? false;
    });
  }

  async delete({ name, weights }: StoredModel): Promise<void> {
    await this.#try(() => modelStore.deleteStoredModel(name, weights));
    await this.refresh();
  }

  async deleteAll(): Promise<void> {
    await this.#try(() => modelStore.deleteStoredModels());
    await this.refresh();
  }

  /** Asks the browser; false: it refused. */
  async persist(): Promise<boolean> {
    await this.#try(async () => {
      this.persisted = await modelStore.persistStorage();
    });
    return this.persisted;
  }

  async #try(work: () => Promise<void>): Promise<void> {
    this.trouble = undefined;
    try {
      await work();
    } catch (error) {
      this.trouble = explain(error);
    }
    this.changed();
  }
}
