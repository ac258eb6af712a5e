// The watch over readers, on a clock that jumps because the machine slept.
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchReader } from "../../server/reader-watch.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("a sleep is not silence of the reader; silence after it is", () => {
  const { now } = performance;
  let sleptMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now.call(performance) + sleptMs);
  const socket = Object.assign(new EventEmitter(), { destroyed: false, writableLength: 10, bytesWritten: 0 });
  const outgoing = Object.assign(new EventEmitter(), { destroyed: false, socket });
  const stalled = vi.fn();
  watchReader(outgoing as unknown as ServerResponse, 1000, stalled);
  vi.advanceTimersByTime(600);
  sleptMs = 8 * 3600 * 1000;
  vi.advanceTimersByTime(200);
  expect(stalled).not.toHaveBeenCalled();
  socket.bytesWritten = 5;
  vi.advanceTimersByTime(900);
  expect(stalled).not.toHaveBeenCalled();
  vi.advanceTimersByTime(600);
  expect(stalled).toHaveBeenCalledOnce();
});
