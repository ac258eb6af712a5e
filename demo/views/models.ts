// The models page: load a model, and manage the stored ones.
import { html, nothing, type TemplateResult } from "lit";
import type { StoredModel } from "../engine.ts";
import { droppedFiles, pickedFiles } from "../folder.ts";
import { bytes } from "../format.ts";
import { keptWindow } from "../last-model.ts";
import { modelName } from "../model-name.ts";
import type { Page } from "../page.ts";
import { choiceOf, type KnownModel, moreModels, shownModels } from "../recommended.ts";
import { serverSection } from "./server.ts";
import { statusView } from "./status.ts";
import { troubleView } from "./trouble.ts";

export function modelsView(page: Page): TemplateResult {
  return html`
    <main class="models">
      <div class="sheet">
        <div class="line">
          <h2 id="models-title" tabindex="-1">Models</h2>
          <span class="grow"></span>
          <button type="button" @click=${() => page.go("chat")}>Back to the chat</button>
        </div>
        ${statusView(page)} ${loadSection(page)} ${serverSection(page)} ${storedSection(page)}
      </div>
    </main>`;
}

function loadSection(page: Page): TemplateResult {
  const byName = (event: SubmitEvent): void => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const name = modelName(String(data.get("name")).trim());
    if (name) page.choose({ kind: "named", name });
  };
  const picked = ({ target }: Event): void => {
    const { files } = target as HTMLInputElement;
    if (files && files.length > 0) page.choose({ kind: "files", ...pickedFiles(files) });
  };
  const dropped = async (event: DragEvent): Promise<void> => {
    event.preventDefault();
    const files = event.dataTransfer && (await droppedFiles(event.dataTransfer));
    if (files) page.choose({ kind: "files", ...files });
  };
  return html`
    <section aria-labelledby="load-title">
      <h3 id="load-title">Load a model</h3>
      <div class="cards">${shownModels.map((model) => cardView(page, model))}</div>
      <details>
        <summary>${moreModels.length} more models</summary>
        <div class="cards">${moreModels.map((model) => cardView(page, model))}</div>
      </details>
      <form class="row" @submit=${byName}>
        <label for="model-name">A repository of the Hugging Face Hub, or an address</label>
        <div class="line">
          <input id="model-name" name="name" required autocomplete="off" spellcheck="false"
            placeholder="owner/name, owner/name/file.gguf, or https://…" />
          <button type="submit">Look</button>
        </div>
      </form>
      <div class="row drop" @dragover=${(event: Event) => event.preventDefault()} @drop=${dropped}>
        <p>On this computer: choose a folder or a GGUF file, or drop it here.</p>
        <div class="cards">
          <div class="row">
            <label for="model-folder">A folder</label>
            <input id="model-folder" type="file" webkitdirectory multiple @change=${picked} />
          </div>
          <div class="row">
            <label for="model-file">A GGUF file, or all parts of one</label>
            <input id="model-file" type="file" accept=".gguf" multiple @change=${picked} />
          </div>
        </div>
        <p class="note">It is read piece by piece and sent nowhere.</p>
      </div>
    </section>`;
}

const cardView = (page: Page, model: KnownModel): TemplateResult => html`
  <button type="button" class="card" @click=${() => page.choose(choiceOf(model))}>
    <strong>${model.title}</strong>
    <span>${model.about}</span>
    <span>${model.source === null ? "Ready at once" : `${bytes(model.downloadBytes)} to download`}</span>
    <span>${bytes(model.gpuBytes)} on the GPU</span>
    <span>Licence: ${model.licence} ${model.gated ? html`<span class="badge">needs permission</span>` : nothing}</span>
  </button>`;

function storedSection(page: Page): TemplateResult {
  const { all, persisted, trouble } = page.storedModels;
  const total = (all ?? []).reduce((sum, model) => sum + model.bytes, 0);
  const deleteAll = (): void => {
    if (confirm("Delete all models that are stored on this device?")) void page.storedModels.deleteAll();
  };
  return html`
    <section aria-labelledby="stored-title">
      <h3 id="stored-title">Models on this device</h3>
      ${trouble ? troubleView(page, trouble) : nothing}
      ${
        all === undefined
          ? html`<p>Reading…</p>`
          : all.length === 0
            ? html`<p>None yet. Downloaded models are stored here and then work offline.</p>`
            : html`<ul class="stored">${all.map((model) => storedView(page, model))}</ul>
                <div class="line">
                  <span>${bytes(total)} in total</span><span class="grow"></span>
                  <button type="button" class="danger" @click=${deleteAll}>Delete all</button>
                </div>`
      }
      <div class="line">
        <p class="note">
          ${
            persisted
              ? "The browser has promised to keep them until you delete them."
              : "When the disk is full, the browser may delete them without asking."
          }
        </p>
        <span class="grow"></span>
        ${
          persisted
            ? nothing
            : html`<button type="button" @click=${() => page.storedModels.persist()}>Ask it to keep them</button>`
        }
      </div>
    </section>`;
}

function storedView(page: Page, model: StoredModel): TemplateResult {
  const { name, weights, bytes: here, totalBytes, complete, lastUsed } = model;
  const state = complete
    ? `${bytes(here)}, last used ${lastUsed.toLocaleDateString()}`
    : `${bytes(here)} of ${bytes(totalBytes)}: loading continues from there`;
  // A complete model loads without the network, so there is no download to confirm.
  const load = (): void => {
    const choice = { kind: "named", name } as const;
    if (complete) {
      void page.session.load(choice, { weights, ...keptWindow(choice) });
      page.go("chat");
    } else page.choose(choice);
  };
  const remove = (): void => {
    if (confirm(`Delete ${name} (${weights}) from this device?`)) void page.storedModels.delete(model);
  };
  return html`
    <li>
      <div><strong>${name}</strong> <span class="badge">${weights}</span><br /><span class="note">${state}</span></div>
      <span class="grow"></span>
      <button type="button" aria-label=${`Load ${name}`} @click=${load}>Load</button>
      <button type="button" class="danger" aria-label=${`Delete ${name} ${weights}`} @click=${remove}>Delete</button>
    </li>`;
}
