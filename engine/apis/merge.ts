// Merges several streams into one, in order of arrival.

/** If one stream fails, or the reader stops, the others are ended too. */
export async function* merge<T>(
  streams: readonly AsyncGenerator<T, void, void>[],
): AsyncGenerator<T, void, void> {
  const advance = (stream: AsyncGenerator<T, void, void>) =>
    stream.next().then((result) => ({ stream, result }));
  const coming = new Map(streams.map((stream) => [stream, advance(stream)]));
  try {
    while (coming.size > 0) {
      const { stream, result } = await Promise.race(coming.values());
      // Moved to the end, so that streams with items ready take turns.
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
