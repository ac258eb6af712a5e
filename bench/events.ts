// Reads server-sent events.

/** Longest line. A server that sends an endless one must not fill the memory. */
const MAX_CHARACTERS = 2 ** 20;

/** The data of each event. @param name of the stream, for errors */
export async function* eventData(body: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_CHARACTERS)
      throw new Error(`${name}: expected lines of events, got one of over ${MAX_CHARACTERS} characters.`);
    for (const line of lines.map((each) => each.replace(/\r$/, ""))) {
      if (line === "") {
        if (data.length > 0) yield data.join("\n");
        data = [];
      } else if (line.startsWith("data:")) {
        data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
      }
      // Other lines are comments, which keep the connection open, or fields that OpenAI's streams do not use.
    }
  }
}
