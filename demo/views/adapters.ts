// A part of the settings dialog: LoRA adapters of the loaded model.
import { html, nothing, type TemplateResult } from "lit";
import { pickedFiles } from "../folder.ts";
import { modelName } from "../model-name.ts";
import type { Page } from "../page.ts";

export function adaptersView(page: Page): TemplateResult | typeof nothing {
  const { adapters } = page;
  if (!adapters.model) return nothing;
  return html`
    <fieldset aria-describedby="adapters-hint">
      <legend>LoRA adapter</legend>
      <p class="note" id="adapters-hint">
        A fine-tune of the loaded model, for the next answers. You can change it within a conversation. Loading a model
        removes its adapters.
      </p>
      ${
        adapters.names.length > 0
          ? [choiceView(page, undefined), ...adapters.names.map((name) => choiceView(page, name))]
          : nothing
      }
      <details>
        <summary id="add-adapter">Add an adapter</summary>
        ${addView(page)}
      </details>
      <p class="note bad" id="adapter-problem" role="alert">${adapters.problem}</p>
    </fieldset>`;
}

/** @param name undefined: no adapter */
function choiceView({ adapters }: Page, name: string | undefined): TemplateResult {
  const remove = (): void => {
    // The button goes away, and must not take the focus with it.
    document.querySelector<HTMLElement>("#add-adapter")?.focus();
    if (name !== undefined) void adapters.remove(name);
  };
  return html`
    <div class="line">
      <label class="choice grow">
        <input type="radio" name="adapter" .checked=${name === adapters.chosen} @change=${() => adapters.choose(name)} />
        <span>${name ?? "None"}</span>
      </label>
      ${
        name === undefined
          ? nothing
          : html`<button type="button" class="danger" aria-label=${`Remove ${name}`} @click=${remove}>Remove</button>`
      }
    </div>`;
}

function addView({ adapters }: Page): TemplateResult {
  const { adding } = adapters;
  const byName = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const name = modelName(String(new FormData(form).get("name")).trim());
    if (name && (await adapters.add(name, name))) form.reset();
  };
  const picked = ({ target }: Event): void => {
    const field = target as HTMLInputElement;
    if (!field.files?.length) return;
    const { name, files } = pickedFiles(field.files);
    // Only a folder has a name of its own.
    void adapters.addFiles(field.webkitdirectory ? name : "LoRA", files);
    // The same files may be chosen again.
    field.value = "";
  };
  return html`
    <form @submit=${byName}>
      <div class="row">
        <label for="adapter-name">Its repository on the Hugging Face Hub, or an address</label>
        <div class="line">
          <input id="adapter-name" name="name" required autocomplete="off" spellcheck="false" placeholder="owner/name, or https://…"
            aria-invalid=${adapters.problem ? "true" : nothing} aria-describedby="adapter-problem" />
          <button type="submit" ?disabled=${adding !== undefined}>Add</button>
        </div>
      </div>
      <div class="cards">
        <div class="row">
          <label for="adapter-folder">Its folder on this device</label>
          <input id="adapter-folder" type="file" webkitdirectory multiple ?disabled=${adding !== undefined} @change=${picked} />
        </div>
        <div class="row">
          <label for="adapter-files">Or its two files</label>
          <input id="adapter-files" type="file" accept=".json,.safetensors" multiple ?disabled=${adding !== undefined}
            aria-describedby="adapter-files-hint" @change=${picked} />
          <p class="note" id="adapter-files-hint">adapter_config.json and adapter_model.safetensors</p>
        </div>
      </div>
      <div class="line" role="status">
        ${
          adding === undefined
            ? nothing
            : html`<span class="grow">Reading ${adding}…</span>
                <button type="button" @click=${() => adapters.stopAdding()}>Cancel</button>`
        }
      </div>
    </form>`;
}
