// Text files: chips above the message field and in a message; the button, paste and drop that add them.
import { html, nothing, type TemplateResult } from "lit";
import { droppedFiles } from "../folder.ts";
import { bytes } from "../format.ts";
import type { Page } from "../page.ts";
import { isWeights, sizeOf, type TextFile } from "../text-files.ts";
import { icons } from "./icons.ts";

/** Those of the message that is being written. */
export function attachedView({ attached }: Page): TemplateResult {
  const chip = (file: TextFile) => html`
    <li class="chip">
      ${icons.file} <span>${file.name}</span> <span class="facts">${bytes(sizeOf(file))}</span>
      <button type="button" class="plain small" aria-label="Remove ${file.name}" title="Remove"
        @click=${() => attached.remove(file)}>${icons.close}</button>
    </li>`;
  return html`
    <div class="attached" aria-live="polite">
      ${attached.files.length > 0 ? html`<ul class="files" aria-label="Files of the message">${attached.files.map(chip)}</ul>` : nothing}
      ${attached.problems.map((problem) => html`<p class="note warning">${problem}</p>`)}
    </div>`;
}

export function attachButton({ attached }: Page): TemplateResult {
  const picked = ({ target }: Event): void => {
    const input = target as HTMLInputElement;
    void attached.add([...(input.files ?? [])]);
    // The same file can be picked again.
    input.value = "";
  };
  const pick = ({ currentTarget }: Event): void =>
    ((currentTarget as HTMLElement).nextElementSibling as HTMLInputElement).click();
  return html`
    <button type="button" class="plain round" aria-label="Add text files" title="Add text files" @click=${pick}>
      ${icons.attach}
    </button>
    <input type="file" multiple hidden aria-label="Text files" @change=${picked} />`;
}

export function pasteFiles({ attached }: Page, event: ClipboardEvent): void {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length === 0) return;
  event.preventDefault();
  void attached.add(files);
}

/** The elements over which files can be dropped show it. */
export function dragFiles(event: DragEvent): void {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  const area = event.currentTarget as HTMLElement;
  const leaves = event.type === "dragleave" && !area.contains(event.relatedTarget as Node | null);
  area.classList.toggle("dropping", !leaves);
}

/** A folder or weights are a model to load; all else is added to the message. */
export async function dropFiles(page: Page, event: DragEvent): Promise<void> {
  const data = event.dataTransfer;
  if (!data?.types.includes("Files")) return;
  event.preventDefault();
  (event.currentTarget as HTMLElement).classList.remove("dropping");
  const files = [...data.files];
  const isFolder = [...data.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
  if (!isFolder && !files.some(isWeights)) return page.attached.add(files);
  const model = await droppedFiles(data);
  if (model) page.choose({ kind: "files", ...model });
}

/** Those of a message that was sent. */
export const sentFiles = (files: readonly TextFile[]): TemplateResult[] =>
  files.map(
    (file) => html`
      <details class="file">
        <summary><span class="chip">${icons.file} <span>${file.name}</span> <span class="facts">${bytes(sizeOf(file))}</span></span></summary>
        <pre tabindex="0">${file.text}</pre>
      </details>`,
  );
