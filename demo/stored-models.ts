// The models stored in this browser, for the models page.
import {
  deleteStoredModel,
  deleteStoredModels,
  listStoredModels,
  persistStorage,
  type StoredModel,
} from "./engine.ts";
import { Observable } from "./observable.ts";
import { codeOf, explain, type Trouble } from "./trouble.ts";

const IN_USE = {
  title: "This model is loaded",
  advice: "Load another one, here or in the tab that has it; then it can be deleted.",
  remedies: ["embedded"],
} as const;

export class StoredModels extends Observable {
  /** undefined: not read yet. */
  all: readonly StoredModel[] | undefined;
  /** Whether the browser has promised not to delete them by itself. */
  persisted = false;
  trouble: Trouble | undefined;

  async refresh(): Promise<void> {
    await this.#try(async () => {
      this.all = await listStoredModels();
      this.persisted = (await navigator.storage?.persisted?.()) ?? false;
    });
  }

  async delete({ name, weights }: StoredModel): Promise<void> {
    await this.#try(() => deleteStoredModel(name, weights));
    await this.refresh();
  }

  async deleteAll(): Promise<void> {
    await this.#try(() => deleteStoredModels());
    await this.refresh();
  }

  /** Asks the browser to keep them. false: it refused. */
  async persist(): Promise<boolean> {
    await this.#try(async () => {
      this.persisted = await persistStorage();
    });
    return this.persisted;
  }

  async #try(work: () => Promise<void>): Promise<void> {
    this.trouble = undefined;
    try {
      await work();
    } catch (error) {
      const trouble = explain(error);
      const inUse = codeOf(error) === "in-use";
      this.trouble = inUse ? { ...trouble, ...IN_USE } : trouble;
    }
    this.changed();
  }
}
