// Cuts off a reader that takes nothing of its answer, whatever it sends meanwhile: the socket's own timer would start anew with
// every byte that comes in.
import type { ServerResponse } from "node:http";

/** A body that is written whole counts as taken when its last byte is, so its reader has time for this many bytes a second. */
const MIN_BYTES_PER_SECOND = 32 * 2 ** 10;

/**
 * Calls `stalled` once, if nothing is taken for `stallMs`.
 * The watch ends when the answer is out or the socket closed.
 */
export function watchReader(outgoing: ServerResponse, stallMs: number, stalled: () => void): void {
  const { socket } = outgoing;
  // Of an answer whose client left before it was made nobody tells any more.
  if (!socket || socket.destroyed || outgoing.destroyed) return;
  let taken = -1;
  let since = performance.now();
  const timer = setInterval(() => {
    const pending = socket.writableLength;
    const before = taken;
    taken = socket.bytesWritten - pending;
    if (pending === 0 || taken !== before) since = performance.now();
    if (performance.now() - since < stallMs + (1000 * pending) / MIN_BYTES_PER_SECOND) return;
    clearInterval(timer);
    stalled();
  }, stallMs / 4);
  const end = () => {
    clearInterval(timer);
    // A connection lives on, with many more answers.
    socket.off("close", end);
    outgoing.off("close", end);
  };
  outgoing.once("close", end);
  socket.once("close", end);
}
