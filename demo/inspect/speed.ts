// The speed of the newest answer.
import { html, type TemplateResult } from "lit";
import { digits, milliseconds } from "../format.ts";
import type { Answer } from "./answer.ts";

export function speed({ finish, tokensPerSecond, promptIds, ids }: Answer): TemplateResult {
  const facts: [string, string][] = [
    ["Tokens/s", tokensPerSecond === undefined ? "–" : digits(tokensPerSecond)],
    ["Time to first token", finish ? milliseconds(finish.prefillMs) : "–"],
    ["Prompt", `${promptIds.length} tokens`],
    ["Answer", `${ids.length} tokens`],
    ["Taken from the cache", finish ? `${finish.cachedTokens} tokens` : "–"],
  ];
  return html`<dl class="facts">
    ${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}
