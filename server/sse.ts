// Server-sent events: with comments during silence, and a limited buffer for slow readers.
import { Gate } from "../engine/gate.ts";
import { type HttpError, reasonOf, toHttpError } from "./errors.ts";
import type { Ctx } from "./request-lifecycle.ts";
import type { Service } from "./service.ts";

/**
 * A response with each of `events` as JSON, then `[DONE]`. For a slow reader up to `limits.streamBytes` are
 * buffered, then the source waits. After an error the last event is the error, as `shape` formats it.
 */
export function streamEvents(
  c: Ctx,
  { limits }: Pick<Service, "limits">,
  events: AsyncIterable<unknown>,
  shape: (error: HttpError) => unknown,
): Response {
  const lifecycle = c.get("lifecycle");
  const { signal } = lifecycle;
  const encoder = new TextEncoder();
  const room = new Gate();
  signal.addEventListener("abort", () => room.open());

  const pump = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const send = (text: string): void => controller.enqueue(encoder.encode(text));
    const full = (): boolean => (controller.desiredSize ?? 0) <= 0;
    let last = performance.now();
    const heart = setInterval(() => {
      if (performance.now() - last >= limits.heartbeatMs && !full()) send(": still here\n\n");
    }, limits.heartbeatMs / 2);
    try {
      for await (const event of events) {
        send(`data: ${JSON.stringify(event)}\n\n`);
        last = performance.now();
        while (full() && !signal.aborted) await room.next();
        signal.throwIfAborted();
      }
      send("data: [DONE]\n\n");
    } catch (error) {
      if (!lifecycle.gone) {
        lifecycle.error = reasonOf(error);
        send(`data: ${JSON.stringify(shape(toHttpError(error)))}\n\n`);
      }
    } finally {
      clearInterval(heart);
    }
    controller.close();
  };

  const body = new ReadableStream<Uint8Array>(
    {
      // Writing to a cancelled stream fails; that is expected.
      start: (controller) => lifecycle.streamUntil(pump(controller).catch(() => {})),
      pull: () => room.open(),
      cancel: () => lifecycle.leave(),
    },
    { highWaterMark: limits.streamBytes, size: (chunk) => chunk.byteLength },
  );
  return c.body(body, 200, {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    // Tells nginx not to buffer.
    "X-Accel-Buffering": "no",
  });
}
