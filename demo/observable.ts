// What the page watches: state that says when it has changed.

export class Observable {
  readonly #watchers = new Set<() => void>();

  /** Calls `watcher` after each change, until the function that it gives back is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  protected changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
