// Several streams as one, in the order in which their items come.

/** Where one fails, or the reader leaves, the others are ended as well. */
export async function* merge<T>(
  streams: readonly AsyncGenerator<T, void, void>[],
): AsyncGenerator<T, void, void> {
  const advance = (stream: AsyncGenerator<T, void, void>) =>
    stream.next().then((result) => ({ stream, result }));
  const coming = new Map(streams.map((stream) => [stream, advance(stream)]));
  try {
    while (coming.size > 0) {
      const { stream, result } = await Promise.race(coming.values());
      // Behind the others: of several that are ready, each has its turn.
      coming.delete(stream);
      if (result.done) continue;
      coming.set(stream, advance(stream));
      yield result.value;
    }
  } finally {
    for (const [stream, item] of coming) {
      item.catch(() => {});
      stream.return().catch(() => {});
    }
  }
}
