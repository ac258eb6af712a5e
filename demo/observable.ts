// State that notifies watchers of changes.

export class Observable {
  readonly #watchers = new Set<() => void>();

  /** Calls `watcher` after each change. @returns a function that ends that */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  protected changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
