// Callers that wait for a ring: first come, first served.

export interface Waiting {
  readonly options: { readonly signal?: AbortSignal | undefined };
}

interface Place<T> {
  readonly item: T;
  readonly admit: () => void;
  readonly refuse: (error: unknown) => void;
}

export class WaitQueue<T extends Waiting> {
  readonly #places: Place<T>[] = [];

  get length(): number {
    return this.#places.length;
  }

  /** The one whose turn it is. */
  get first(): T | undefined {
    return this.#places[0]?.item;
  }

  /**
   * Resolves when the item is admitted.
   * @throws the reason of its signal, or the error that it was refused with
   */
  enter(item: T): Promise<void> {
    const { signal } = item.options;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#places.splice(this.#places.indexOf(place), 1);
        signal?.removeEventListener("abort", abort);
      };
      const place: Place<T> = {
        item,
        admit: () => {
          leave();
          resolve();
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const abort = () => place.refuse(signal?.reason);
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", abort);
      this.#places.push(place);
    });
  }

  admitFirst(): void {
    this.#places[0]?.admit();
  }

  refuseFirst(error: unknown): void {
    this.#places[0]?.refuse(error);
  }
}
