// Disconnects a reader that takes nothing of its response. The socket's own timeout is no use: every received
// byte restarts it.
import type { ServerResponse } from "node:http";

/**
 * Bytes of a complete body count as taken only at its end, so a reader gets extra time for the pending bytes,
 * at this rate.
 */
const MIN_BYTES_PER_SECOND = 32 * 2 ** 10;

/**
 * Calls `stalled` once if the reader takes nothing for `stallMs`. Ends when the response is complete or the
 * socket closed.
 */
export function watchReader(outgoing: ServerResponse, stallMs: number, stalled: () => void): void {
  const { socket } = outgoing;
  // The client left before there was a response; no event would follow.
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
    // The connection is kept for further requests.
    socket.off("close", end);
    outgoing.off("close", end);
  };
  outgoing.once("close", end);
  socket.once("close", end);
}
