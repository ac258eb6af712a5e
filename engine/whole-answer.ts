// An answer in one value: the chunks of a stream put together.
import type { Answer, Chunk, Finish, TokenLogProb, ToolCall } from "./api.ts";
import { addCalls } from "./apis/added-calls.ts";

/** @throws what the stream throws; the signal's reason if the signal ended the answer */
export async function wholeAnswer(
  chunks: AsyncIterable<Chunk>,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  let text = "";
  let reasoning = "";
  let finish: Finish | undefined;
  const ids: number[] = [];
  const logProbs: TokenLogProb[] = [];
  const calls: ToolCall[] = [];
  let hasLogProbs = false;
  for await (const chunk of chunks) {
    text += chunk.text;
    reasoning += chunk.reasoning ?? "";
    ids.push(...chunk.ids);
    hasLogProbs ||= chunk.logProbs !== undefined;
    logProbs.push(...(chunk.logProbs ?? []));
    addCalls(calls, chunk.toolCalls);
    finish = chunk.finish;
  }
  if (finish?.reason === "abort") signal?.throwIfAborted();
  const { reason, warnings, ...usage } = finish as Finish;
  // A call that was cut off is none.
  const toolCalls = reason === "tool-calls" ? calls : calls.slice(0, -1);
  return {
    text,
    ...(reasoning && { reasoning }),
    ...(toolCalls.length > 0 && { toolCalls }),
    ...{ reason, usage, ids },
    ...(hasLogProbs && { logProbs }),
    ...(warnings && { warnings }),
  };
}
