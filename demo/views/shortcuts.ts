// The sheet of keyboard shortcuts.
import { html, type TemplateResult } from "lit";
import { keysOf, onMac, SHORTCUTS } from "../keyboard.ts";
import { dialogView } from "./dialog.ts";

export function shortcutsView(): TemplateResult {
  const isMac = onMac();
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ...Object.values(SHORTCUTS).map(({ letter, label }) => [label, keysOf(letter, isMac)] as const),
    ["Stop the answer; close a dialog", ["Esc"]],
    ["Send", ["Enter"]],
    ["New line", ["Shift", "Enter"]],
    ["This sheet, while you type", isMac ? ["⌘", "/"] : ["Ctrl", "/"]],
    ["This sheet", ["?"]],
  ];
  return dialogView({
    id: "shortcuts",
    title: "Keyboard shortcuts",
    body: html`
      <dl class="shortcuts">
        ${rows.map(
          ([label, keys]) => html`
            <div>
              <dt>${label}</dt>
              <dd>${keys.map((key) => html`<kbd>${key}</kbd> `)}</dd>
            </div>`,
        )}
      </dl>`,
  });
}

/** Above another dialog, if one is open. */
export function openShortcuts(): void {
  const sheet = document.querySelector<HTMLDialogElement>("#shortcuts");
  if (sheet && !sheet.open) sheet.showModal();
}
