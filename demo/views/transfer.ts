// The dialog that exports and imports conversations.
import { html, nothing, type TemplateResult } from "lit";
import type { Page } from "../page.ts";
import { title } from "../titles.ts";
import { dialogView } from "./dialog.ts";

export function transferView({ list, conversation, conversations: { all } }: Page): TemplateResult {
  const open = async ({ target }: Event): Promise<void> => {
    const field = target as HTMLInputElement;
    const [file] = field.files ?? [];
    if (file) await list.import(file);
    // The same file can be chosen again.
    field.value = "";
  };
  return dialogView({
    id: "transfer",
    title: "Export and import",
    body: html`
      ${
        conversation
          ? html`
              <h3>This conversation</h3>
              <p class="note">${title(conversation)}</p>
              <div class="line">
                <button type="button" @click=${() => list.saveAs("md", conversation)}>Save as Markdown</button>
                <button type="button" @click=${() => list.saveAs("json", conversation)}>Save as JSON</button>
              </div>`
          : nothing
      }
      <h3>All conversations</h3>
      <div class="line">
        <button type="button" ?disabled=${all.length === 0} @click=${() => list.saveAs("json")}>
          Save ${all.length} as JSON
        </button>
      </div>
      <h3><label for="import">Import</label></h3>
      <p class="note">A JSON file that was exported here. What is here already stays as it is.</p>
      <input id="import" type="file" accept=".json,application/json" @change=${open} />
      <p role=${list.told?.isProblem ? "alert" : "status"} class=${list.told?.isProblem ? "bad" : ""}>${list.told?.text ?? ""}</p>`,
  });
}

export const openTransferDialog = (): void =>
  document.querySelector<HTMLDialogElement>("#transfer")?.showModal();
