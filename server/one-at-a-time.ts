// One request of a connection at a time. Node hands over all that a client pipelines at once, though their answers go out one by
// one. Without this a single connection could take every place, and what waits behind would never see its socket close.
import type { RequestListener } from "node:http";
import type { Socket } from "node:net";

/** Requests of one connection that may wait for the one at work. Browsers and API clients pipeline none. */
const MAX_WAITING = 8;

/** The requests of a connection. */
class Turns {
  waiting = 0;
  /** When the answer to the request before is out, or the socket closed. */
  last = Promise.resolve();
  /** Ends the turn at work, and those that wait. */
  readonly #ends = new Set<() => void>();

  constructor(socket: Socket) {
    socket.once("close", () => {
      for (const end of this.#ends) end();
    });
  }

  /** The turn that follows all others. @returns ends it */
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

/** Calls the listener for a request when the one before it on the same connection has been answered. */
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
