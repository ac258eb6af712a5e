// What a model sees of a conversation.
import type { Turn } from "./conversation.ts";
import type { Message } from "./engine.ts";

/**
 * A call without a result is left out, since chat formats have no place for it, and so is an answer that has
 * nothing else.
 */
export function messages(turns: readonly Turn[], system: string): Message[] {
  const said = turns.flatMap((turn, index): Message[] => {
    const { role, content, thought, toolCalls = [], toolCallId } = turn;
    const results = resultsOf(turns, index);
    const answered = toolCalls.filter(({ id }) => results.has(id));
    if (toolCalls.length > 0 && answered.length === 0 && content === "") return [];
    return [
      {
        ...{ role, content },
        ...(thought && { reasoning: thought.text }),
        ...(answered.length > 0 && { toolCalls: answered }),
        ...(toolCallId !== undefined && { toolCallId }),
      },
    ];
  });
  return system.trim() ? [{ role: "system", content: system.trim() }, ...said] : said;
}

/** By the id of the call: the results that come after the answer `index`. */
export function resultsOf(turns: readonly Turn[], index: number): ReadonlyMap<string, string> {
  const results = new Map<string, string>();
  for (let i = index + 1; turns[i]?.role === "tool"; i++)
    results.set(turns[i]?.toolCallId ?? "", turns[i]?.content ?? "");
  return results;
}
