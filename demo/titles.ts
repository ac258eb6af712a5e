// Titles that tell conversations apart, and the search for one.
import type { Conversation, Turn } from "./conversation.ts";

/** Of a title that the visitor did not give, in characters. */
const LONGEST = 60;

export interface Title {
  readonly text: string;
  /** When it was, if another one has the same title. */
  readonly when?: string;
}

/** As the visitor named it, or the first words of the conversation. */
export function title({ title, turns }: Conversation): string {
  if (title) return title;
  const text = turns[0]?.content.trim().replace(/\s+/g, " ") ?? "";
  if (text.length <= LONGEST) return text || "Empty";
  const cut = text.slice(0, LONGEST);
  const space = cut.lastIndexOf(" ");
  // A long word, or a text without spaces, is cut between two characters.
  const end = space > LONGEST / 2 ? space : LONGEST - 1;
  return `${cut.slice(0, end).replace(/[\s,.;:–-]+$|[\uD800-\uDBFF]$/, "")}…`;
}

/** By id. Equal titles get a time; equal times a number as well. */
export function titles(all: readonly Conversation[], now = Date.now()): ReadonlyMap<string, Title> {
  const alike = groupBy(all, title);
  const found = [...alike].flatMap(([text, same]) => {
    if (same.length === 1) return same.map(({ id }) => [id, { text }] as const);
    const times = groupBy(same, ({ updated }) => timeOf(updated, now));
    return [...times].flatMap(([time, equal]) =>
      equal
        .toReversed()
        .map(({ id }, i) => [id, { text, when: i === 0 ? time : `${time} (${i + 1})` }] as const),
    );
  });
  return new Map(found);
}

function groupBy<T>(all: readonly T[], keyOf: (each: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const group = groups.get(keyOf(each));
    if (group) group.push(each);
    else groups.set(keyOf(each), [each]);
  }
  return groups;
}

/** Title and time in one line. */
export const wholeTitle = ({ text, when }: Title): string => (when ? `${text}, ${when}` : text);

function timeOf(ms: number, now: number): string {
  const date = new Date(ms);
  const time = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === new Date(now).toDateString()) return time;
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  const year = isThisYear ? {} : ({ year: "numeric" } as const);
  return `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...year })}, ${time}`;
}

const texts = new WeakMap<Conversation, string>();

/** Those that have every word of `query` in their title or text. Case does not matter. */
export function matching(all: readonly Conversation[], query: string): readonly Conversation[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return words.length === 0
    ? all
    : all.filter((each) => {
        const text = textOf(each);
        return words.every((word) => text.includes(word));
      });
}

const said = ({ content, toolCalls = [] }: Turn): string[] => [
  content,
  ...toolCalls.flatMap((call) => [call.name, call.arguments]),
];

function textOf(conversation: Conversation): string {
  const known = texts.get(conversation);
  if (known !== undefined) return known;
  const parts = [title(conversation), ...conversation.turns.flatMap(said)];
  const text = parts.join("\n").toLowerCase();
  texts.set(conversation, text);
  return text;
}
