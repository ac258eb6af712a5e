// `--moderate`: what the model finds in prompts and answers, and what becomes of an answer then.
import type { Chunk, Message, Moderation, ToolCall } from "../engine/node.ts";

/** What happens to a prompt or an answer that the model flags. */
export type ModerationAction = "reject" | "flag";

/** "The prompt was flagged: illegal_activities (0.83)." @returns undefined if it is acceptable */
export function findingOf(
  { flagged, categories, scores }: Moderation,
  kind: "prompt" | "answer",
): string | undefined {
  if (!flagged) return undefined;
  const names = (Object.keys(categories) as (keyof typeof categories)[]).filter((name) => categories[name]);
  const said = names.map((name) => `${name} (${scores[name].toFixed(2)})`);
  return `The ${kind} was flagged: ${said.join(", ")}.`;
}

/** All that a conversation says, whoever says it: a client can put words into any mouth. */
export const saidIn = (messages: readonly Message[]): string =>
  messages.flatMap(({ content, toolCalls = [] }) => [content, ...toolCalls.map(textOf)]).join("\n\n");

const textOf = ({ name, arguments: given }: ToolCall): string => `${name} ${given}`;

/**
 * An answer, which is judged when it ends. With "reject" it is held until then; a flagged one is withheld,
 * and ends with the reason `content-filter`. With "flag" it passes as it comes. The finding is a warning of
 * its finish.
 */
export async function* screened(
  chunks: AsyncIterable<Chunk>,
  action: ModerationAction,
  judge: (text: string) => Promise<string | undefined>,
): AsyncGenerator<Chunk, void, void> {
  const held: Chunk[] = [];
  let text = "";
  for await (const chunk of chunks) {
    text += (chunk.reasoning ?? "") + chunk.text;
    // The name is in the first piece of a call, which has no arguments.
    for (const call of chunk.toolCalls ?? []) text += call.arguments || `\n${call.name} `;
    const { finish } = chunk;
    if (!finish) {
      if (action === "flag") yield chunk;
      else held.push(chunk);
      continue;
    }
    const found = finish.reason === "abort" || text.trim() === "" ? undefined : await judge(text);
    const warnings = found ? { warnings: [...(finish.warnings ?? []), found] } : {};
    if (found && action === "reject") {
      yield { text: "", ids: [], finish: { ...finish, ...warnings, reason: "content-filter" } };
    } else {
      yield* held;
      yield { ...chunk, finish: { ...finish, ...warnings } };
    }
  }
}
