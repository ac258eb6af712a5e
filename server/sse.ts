// Server-sent events: with a sign of life while nothing comes, and bounds for readers that are slow.
import { Gate } from "../engine/gate.ts";
import { type HttpError, reasonOf, toHttpError } from "./errors.ts";
import type { Ctx } from "./request-lifecycle.ts";
import type { Service } from "./service.ts";

/**
 * AdmittedModel with each of `events` as JSON, then `[DONE]`. For a slow reader up to `limits.streamBytes` are kept, then the source
 * waits; one that takes nothing for `limits.stallMs` is cut off. An error on the way is the last event, as `shape` puts it.
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
      // A stream that was cancelled takes nothing more, which is no news.
      start: (controller) => lifecycle.streamUntil(pump(controller).catch(() => {})),
      pull: () => room.open(),
      cancel: () => lifecycle.leave(),
    },
    { highWaterMark: limits.streamBytes, size: (chunk) => chunk.byteLength },
  );
  return c.body(body, 200, {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    // nginx passes on what comes, as it comes.
    "X-Accel-Buffering": "no",
  });
}
