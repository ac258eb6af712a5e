// Who waits for a ring: first come, first served.

interface Caller {
  /** Lets it in, where there is what it wants. */
  readonly enter: () => boolean;
  readonly refuse: (error: unknown) => void;
}

export class WaitQueue {
  readonly #callers: Caller[] = [];

  get length(): number {
    return this.#callers.length;
  }

  /**
   * Waits until `admit` gets to it.
   * @param begin gives undefined while there is not what it wants
   * @param left called where it leaves the line without having been let in
   * @throws the signal's reason, what it was refused with
   */
  enter<T extends object>(
    begin: () => T | undefined,
    left: () => void,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#callers.splice(this.#callers.indexOf(caller), 1);
        signal?.removeEventListener("abort", aborted);
      };
      const caller: Caller = {
        enter: () => {
          const begun = begin();
          if (!begun) return false;
          leave();
          resolve(begun);
          return true;
        },
        refuse: (error) => {
          leave();
          reject(error);
          left();
        },
      };
      const aborted = () => caller.refuse(signal?.reason);
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", aborted);
      this.#callers.push(caller);
    });
  }

  /** In order, while there is room for each. @param check throws where nobody may begin any more */
  admit(check: () => void, hasRoom: () => boolean): void {
    while (this.#callers.length > 0) {
      const [caller] = this.#callers as [Caller];
      try {
        check();
      } catch (error) {
        caller.refuse(error);
        continue;
      }
      if (!hasRoom() || !caller.enter()) return;
    }
  }

  refuseFirst(error: unknown): void {
    this.#callers[0]?.refuse(error);
  }
}
