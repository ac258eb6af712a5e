// Server-sent events: the data of each, as it comes in.

/** A server that sends one line without end must not fill the memory. */
const MOST_CHARACTERS = 2 ** 20;

/** @param name where the stream comes from, for errors */
export async function* eventData(body: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MOST_CHARACTERS)
      throw new Error(`${name}: expected lines of events, got one of over ${MOST_CHARACTERS} characters.`);
    for (const line of lines.map((each) => each.replace(/\r$/, ""))) {
      if (line === "") {
        if (data.length > 0) yield data.join("\n");
        data = [];
      } else if (line.startsWith("data:")) {
        data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
      }
      // Others are comments, which keep a connection open, or fields that OpenAI's streams do not have.
    }
  }
}
