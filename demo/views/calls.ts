// The tools that an answer calls: a card each, with the result or a field for it.
import { html, nothing, type TemplateResult } from "lit";
import { indented, parsed } from "../calls.ts";
import type { ToolCall } from "../engine.ts";
import type { Page } from "../page.ts";
import { fenced } from "../text-files.ts";
import { icons } from "./icons.ts";

/** A call of an answer that grows. */
export const growingCallView = (call: ToolCall): TemplateResult => html`
  <div class="call" role="group" aria-label="Call of ${call.name}">
    ${head(call)}
    <markdown-text .growing=${true} .text=${fenced(call.arguments, "json")}></markdown-text>
  </div>`;

/**
 * @param results by the id of the call
 * @param waits whether the answer goes on with the results that are missing
 */
export function callsView(
  page: Page,
  calls: readonly ToolCall[],
  results: ReadonlyMap<string, string>,
  waits: boolean,
): TemplateResult {
  const open = waits ? calls.filter(({ id }) => !results.has(id)) : [];
  const send = (event: Event): void => {
    event.preventDefault();
    const form = (event.target as HTMLElement).closest("form");
    if (!form?.reportValidity()) return;
    const fields = [...form.querySelectorAll("textarea")];
    page.sendResults(
      open.map(({ id }, i) => ({ role: "tool", toolCallId: id, content: fields[i]?.value ?? "" })),
    );
  };
  return html`
    <form class="calls" @submit=${send}>
      ${calls.map((call) => callView(call, results.get(call.id), open.includes(call), send))}
      ${
        open.length > 0
          ? html`<div class="buttons">
              <button type="submit" class="primary">${open.length > 1 ? "Send the results" : "Send the result"}</button>
            </div>`
          : nothing
      }
    </form>`;
}

function callView(
  call: ToolCall,
  result: string | undefined,
  isOpen: boolean,
  send: (event: Event) => void,
): TemplateResult {
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  };
  const field = `result-${call.id}`;
  return html`
    <div class="call" role="group" aria-label="Call of ${call.name}">
      ${head(call)}
      <markdown-text .text=${fenced(indented(call.arguments), "json")}></markdown-text>
      ${
        result !== undefined
          ? html`<p class="note">Result</p>
            <markdown-text .text=${fenced(indented(result), languageOf(result))}></markdown-text>`
          : isOpen
            ? html`<label for=${field}>Result of ${call.name}</label>
              <textarea id=${field} class="code" rows="2" required spellcheck="false"
                placeholder="What the function returns: JSON or text" @keydown=${onKey}></textarea>`
            : html`<p class="note">No result was sent.</p>`
      }
    </div>`;
}

const head = ({ name }: ToolCall): TemplateResult =>
  html`<h3>${icons.tool} <span>Calls</span> <code>${name}</code></h3>`;

const languageOf = (text: string): string => (parsed(text) === undefined ? "text" : "json");
