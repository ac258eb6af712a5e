// How fast the newest answer came.
import { html, type TemplateResult } from "lit";
import type { Answer } from "./answer.ts";
import { digits, milliseconds } from "./format.ts";

export function speed({ finish, tokensPerSecond, promptIds, ids }: Answer): TemplateResult {
  // Measured from the first token to the last, between which one fewer was computed.
  const measured =
    finish && finish.completionTokens > 1
      ? ((finish.completionTokens - 1) * 1000) / finish.decodeMs
      : tokensPerSecond;
  const facts: [string, string][] = [
    ["Tokens/s", measured === undefined ? "–" : digits(measured)],
    ["Time to first token", finish ? milliseconds(finish.prefillMs) : "–"],
    ["Prompt", `${promptIds.length} tokens`],
    ["Answer", `${ids.length} tokens`],
    ["Taken from the cache", finish ? `${finish.cachedTokens} tokens` : "–"],
  ];
  return html`<dl class="facts">
    ${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}
