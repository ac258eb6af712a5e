// What the caller's thread asks of the threads, in order, and their answers.
import type { Answer, FirstCommand, Place, SharedCommand } from "./commands.ts";
import type { Threads } from "./threads.ts";

interface Waiting {
  resolve(data: ArrayBuffer | undefined): void;
  reject(reason: Error): void;
}

type ErrorAnswer = Answer & { readonly type: "error" };
type OnError = (error: ErrorAnswer) => void;

export class Timeline {
  readonly threads: Threads;
  readonly #waiting = new Map<number, Waiting>();
  #lastReply = 0;
  #ended: string | undefined;
  /** While an operation of the caller's thread runs, what comes after it waits here. */
  #held: (() => unknown)[] | undefined;

  readonly #onError: OnError;

  constructor(threads: Threads, onError: OnError, onFailure: (reason: string) => void) {
    this.threads = threads;
    this.#onError = onError;
    threads.listen((answer) => {
      if (answer.type === "error") onError(answer);
      else this.#answered(answer.reply, answer.data);
    }, onFailure);
  }

  toAll(command: SharedCommand): void {
    this.#inTurn(() => this.#ended === undefined && this.threads.toAll(command));
  }

  toFirst(command: FirstCommand, transfer?: ArrayBuffer[]): void {
    this.#inTurn(() => this.#ended === undefined && this.threads.toFirst(command, transfer));
  }

  /** Waits for all that was asked so far. @returns the bytes of a place as they are then */
  ask(place?: Place): Promise<ArrayBuffer | undefined> {
    return new Promise((resolve, reject) => {
      this.#inTurn(() => this.#ask(place, { resolve, reject }));
    });
  }

  /**
   * Starts an operation of the caller's thread after all that was asked so far; what is asked later waits
   * until it has ended. It reads and writes places itself. If it fails, an error is reported.
   */
  interpose(
    operation: (
      read: (place: Place) => Promise<ArrayBuffer>,
      write: (place: Place, data: ArrayBuffer) => void,
    ) => Promise<void>,
  ): void {
    const read = async (place: Place) =>
      (await new Promise<ArrayBuffer | undefined>((resolve, reject) => {
        this.#ask(place, { resolve, reject });
      }))!;
    const write = (place: Place, data: ArrayBuffer) =>
      this.threads.toFirst({ type: "write", place, data }, [data]);
    this.#inTurn(() => {
      this.#held = [];
      const failed = ({ message }: Error) => {
        // What a loss interrupts is reported as the loss.
        if (this.#ended === undefined) this.#onError({ type: "error", outOfMemory: false, message });
      };
      void operation(read, write)
        .catch(failed)
        .finally(() => {
          const held = this.#held ?? [];
          this.#held = undefined;
          for (const task of held) this.#inTurn(task);
        });
    });
  }

  /** Ends the threads. What waits is rejected. */
  end(reason: string): void {
    this.#ended = reason;
    this.threads.end();
    for (const { reject } of this.#waiting.values()) reject(new DOMException(reason, "OperationError"));
    this.#waiting.clear();
  }

  #inTurn(task: () => unknown): void {
    if (this.#held) this.#held.push(task);
    else task();
  }

  #ask(place: Place | undefined, waiting: Waiting): void {
    if (this.#ended !== undefined) {
      waiting.reject(new DOMException(this.#ended, "OperationError"));
      return;
    }
    const reply = this.#lastReply++;
    if (this.#waiting.size === 0) this.threads.await(true);
    this.#waiting.set(reply, waiting);
    this.threads.toFirst({ type: "read", reply, place });
  }

  #answered(reply: number, data: ArrayBuffer | undefined): void {
    this.#waiting.get(reply)?.resolve(data);
    this.#waiting.delete(reply);
    if (this.#waiting.size === 0) this.threads.await(false);
  }
}
