// The settings dialog. A change applies from the next answer on; a context length from the next loading on.
import { html, nothing, type TemplateResult } from "lit";
import { isLocal } from "../engine.ts";
import type { Page } from "../page.ts";
import { CONTEXT_FIELD, FIELDS, type NumberField, PRESETS, presetOf, refusal } from "../setting-fields.ts";
import { DEFAULTS } from "../settings.ts";
import { adaptersView } from "./adapters.ts";
import { dialogView } from "./dialog.ts";
import { shapeView } from "./shape.ts";
import { openShortcuts } from "./shortcuts.ts";
import { toolsView } from "./tools.ts";

export function settingsView(page: Page): TemplateResult {
  const { values } = page.settings;
  const setSystem = ({ target }: Event): void =>
    page.settings.set({ system: (target as HTMLTextAreaElement).value });
  const setSafe = ({ target }: Event): void =>
    page.settings.set({ safePrompt: (target as HTMLInputElement).checked });
  return dialogView({
    id: "settings",
    title: "Settings",
    body: html`
      <div class="row">
        <label for="system">System prompt</label>
        <textarea id="system" rows="3" aria-describedby="system-hint" .value=${values.system} @change=${setSystem}></textarea>
        <p class="note" id="system-hint">
          Sent to the model before every conversation. If its chat format has no system prompt, it is part of your
          first message.
        </p>
      </div>
      <div class="row">
        <label>
          <input type="checkbox" aria-describedby="safe-hint" .checked=${values.safePrompt} @change=${setSafe} />
          Safe prompt
        </label>
        <p class="note" id="safe-hint">Mistral's own guardrail, before the system prompt: care, respect and truth.</p>
      </div>
      ${adaptersView(page)} ${shapeView(page)} ${toolsView(page)} ${presetsView(page)}
      <div class="grid">${FIELDS.map((field) => numberView(page, field))}</div>
      <div class="row">${numberView(page, CONTEXT_FIELD)} ${reloadView(page)}</div>
      <div class="buttons">
        <button type="button" class="plain" @click=${openShortcuts}>Keyboard shortcuts</button>
        <span class="grow"></span>
        <button type="button" title="All but the prompts, the form of answers and the tools" @click=${() => reset(page)}>
          Defaults
        </button>
        <button type="button" class="primary" @click=${closeSettingsDialog}>Done</button>
      </div>`,
  });
}

function presetsView(page: Page): TemplateResult {
  const current = presetOf(page.settings.values);
  const use = (name: string): void => {
    clearRefusals(page);
    page.settings.set({ ...PRESETS[name] });
  };
  return html`
    <div class="row presets" role="group" aria-labelledby="presets-label">
      <span id="presets-label">Sampling preset</span>
      ${Object.keys(PRESETS).map(
        (name) => html`
          <button type="button" class="small" aria-pressed=${name === current} @click=${() => use(name)}>${name}</button>`,
      )}
    </div>`;
}

/** All but what the visitor wrote, and the colours. */
function reset(page: Page): void {
  const { theme, system, safePrompt, shape, shapeText, toolsOn, tools } = page.settings.values;
  const written = { system, safePrompt, shape, shapeText, toolsOn, tools };
  clearRefusals(page);
  page.settings.set({ ...DEFAULTS, seed: undefined, contextLength: undefined, theme, ...written });
}

function numberView(page: Page, field: NumberField): TemplateResult {
  const { name, label, hint, min, max, step, empty } = field;
  const set = ({ target }: Event): void => {
    const input = target as HTMLInputElement;
    // The browser gives no text that is not a number.
    const why = refusal(field, input.validity.badInput ? "?" : input.value);
    tell(input, why);
    if (why === undefined)
      page.settings.set({ [name]: input.value === "" ? undefined : Number(input.value) });
  };
  return html`
    <div class="row">
      <label for=${name}>${label}</label>
      <input id=${name} type="number" min=${min} max=${max} step=${step}
        placeholder=${empty ?? nothing} aria-describedby="${name}-why ${name}-hint"
        .value=${String(page.settings.values[name] ?? "")} @change=${set} />
      <p class="note bad" id="${name}-why" role="alert"></p>
      <p class="note" id="${name}-hint">${hint}</p>
    </div>`;
}

function tell(input: HTMLInputElement, why: string | undefined): void {
  if (why === undefined) input.removeAttribute("aria-invalid");
  else input.setAttribute("aria-invalid", "true");
  const place = document.getElementById(`${input.id}-why`);
  if (place) place.textContent = why ?? "";
}

/** Fields with a refused text show the value that is in use again. */
function clearRefusals({ settings }: Page): void {
  for (const input of document.querySelectorAll<HTMLInputElement>("#settings [aria-invalid]")) {
    tell(input, undefined);
    input.value = String(settings.values[input.id as NumberField["name"]] ?? "");
  }
}

/**
 * A button that loads the model again if it was loaded with another setting. It is always there: a dialog
 * that grows as a field is left would move the button that is being clicked.
 */
function reloadView(page: Page): TemplateResult | typeof nothing {
  const { state } = page.session;
  const { contextLength } = page.settings.values;
  if (state.kind !== "ready" || !isLocal(state.model)) return nothing;
  const reload = (): void => {
    closeSettingsDialog();
    void page.session.reload();
  };
  return html`
    <p class="note">
      A model has to be loaded again for another length. Nothing is downloaded twice if it is stored here.
    </p>
    <div class="line">
      <button type="button" ?disabled=${page.session.contextLength === contextLength} @click=${reload}>Load it again</button>
    </div>`;
}

const dialog = (): HTMLDialogElement | null => document.querySelector("#settings");
export const openSettingsDialog = (): void => dialog()?.showModal();
const closeSettingsDialog = (): void => dialog()?.close();
