// Server-sent events as the bytes of a stream: one for each piece, then `[DONE]`.

/**
 * Makes a piece when the reader asks for one. A reader that cancels ends the answer at once. An error before
 * the first piece rejects this call, not the stream.
 */
export async function eventStream(
  begin: (signal: AbortSignal) => AsyncGenerator<unknown, void, void>,
  signal?: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const left = new AbortController();
  const pieces = begin(signal ? AbortSignal.any([signal, left.signal]) : left.signal);
  const encoder = new TextEncoder();
  let first: IteratorResult<unknown, void> | undefined = await pieces.next();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = first ?? (await pieces.next());
        first = undefined;
        controller.enqueue(encoder.encode(`data: ${done ? "[DONE]" : JSON.stringify(value)}\n\n`));
        if (done) controller.close();
      },
      async cancel(reason) {
        left.abort(reason);
        await pieces.return();
      },
    },
    { highWaterMark: 0 },
  );
}
