// Handles one request per connection at a time. Node passes on all pipelined requests at once, although their
// responses go out one by one. A single connection could take all slots, and the requests behind would not
// notice a closed socket.
import type { RequestListener } from "node:http";
import type { Socket } from "node:net";

/** Pipelined requests that may wait on one connection. Browsers and API clients do not pipeline. */
const MAX_WAITING = 8;

/** The queue of a connection. */
class Turns {
  waiting = 0;
  /** Resolves when the latest request has been answered or the socket is closed. */
  last = Promise.resolve();
  /** Ends the current turn and those that wait. */
  readonly #ends = new Set<() => void>();

  constructor(socket: Socket) {
    socket.once("close", () => {
      for (const end of this.#ends) end();
    });
  }

  /** Adds a turn after all others. @returns a function that ends it */
  add(): () => void {
    let end = (): void => {};
    this.last = new Promise((resolve) => {
      end = () => {
        this.#ends.delete(end);
        resolve();
      };
    });
    this.#ends.add(end);
    return end;
  }
}

/** Calls `listener` for a request once the previous request of its connection has been answered. */
export function oneAtATime(listener: RequestListener): RequestListener {
  const connections = new WeakMap<Socket, Turns>();
  return async (incoming, outgoing) => {
    const { socket } = incoming;
    const turns = connections.get(socket) ?? new Turns(socket);
    connections.set(socket, turns);
    if (turns.waiting === MAX_WAITING) socket.destroy();
    if (socket.destroyed) return;
    const before = turns.last;
    outgoing.once("close", turns.add());
    turns.waiting++;
    await before;
    turns.waiting--;
    if (!socket.destroyed) listener(incoming, outgoing);
  };
}
