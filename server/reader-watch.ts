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
  const period = stallMs / 4;
  let silentMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const pending = socket.writableLength;
    const before = taken;
    taken = socket.bytesWritten - pending;
    const now = performance.now();
    // A time longer than two periods is not the reader's fault: the machine slept.
    silentMs = pending === 0 || taken !== before ? 0 : silentMs + Math.min(now - last, 2 * period);
    last = now;
    if (silentMs < stallMs + (1000 * pending) / MIN_BYTES_PER_SECOND) return;
    clearInterval(timer);
    stalled();
  }, period);
  const end = () => {
    clearInterval(timer);
    // The connection is kept for further requests.
    socket.off("close", end);
    outgoing.off("close", end);
  };
  outgoing.once("close", end);
  socket.once("close", end);
}
