// The settings dialog. A change applies from the next answer on.
import { html, type TemplateResult } from "lit";
import type { Page } from "../page.ts";
import { DEFAULTS, type SettingValues } from "../settings.ts";
import { dialogView } from "./dialog.ts";

type NumberName = "temperature" | "topP" | "topK" | "minP" | "repetitionPenalty" | "maxTokens";

interface NumberField {
  readonly name: NumberName;
  readonly label: string;
  readonly hint: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

const FIELDS: readonly NumberField[] = [
  {
    name: "temperature",
    label: "Temperature",
    hint: "0: always the likeliest word",
    min: 0,
    max: 3,
    step: 0.05,
  },
  { name: "topP", label: "Top-p", hint: "keep the likeliest up to this sum", min: 0.01, max: 1, step: 0.01 },
  { name: "topK", label: "Top-k", hint: "keep this many; 0: all", min: 0, max: 1000, step: 1 },
  {
    name: "minP",
    label: "Min-p",
    hint: "keep at least this fraction of the best",
    min: 0,
    max: 1,
    step: 0.01,
  },
  { name: "repetitionPenalty", label: "Repetition penalty", hint: "1: none", min: 0.5, max: 2, step: 0.05 },
  { name: "maxTokens", label: "Most tokens", hint: "of an answer", min: 1, max: 32768, step: 1 },
];

export function settingsView(page: Page): TemplateResult {
  const { values } = page.settings;
  const setSystem = ({ target }: Event): void =>
    page.settings.set({ system: (target as HTMLTextAreaElement).value });
  const setSeed = ({ target }: Event): void => {
    const field = target as HTMLInputElement;
    page.settings.set({ seed: field.validity.valid && field.value ? field.valueAsNumber : undefined });
  };
  const setSafe = ({ target }: Event): void =>
    page.settings.set({ safePrompt: (target as HTMLInputElement).checked });
  const { theme } = values;
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
      <div class="grid">
        ${FIELDS.map((field) => numberView(page, values, field))}
        <div class="row">
          <label for="seed">Seed</label>
          <input id="seed" type="number" min="0" max="4294967295" step="1" placeholder="random"
            aria-describedby="seed-hint" .value=${values.seed === undefined ? "" : String(values.seed)} @change=${setSeed} />
          <p class="note" id="seed-hint">same seed, same answer</p>
        </div>
      </div>
      <div class="buttons">
        <button type="button" @click=${() => page.settings.set({ ...DEFAULTS, seed: undefined, theme })}>Defaults</button>
        <button type="button" class="primary" @click=${closeSettingsDialog}>Done</button>
      </div>`,
  });
}

function numberView(page: Page, values: SettingValues, field: NumberField): TemplateResult {
  const { name, label, hint, min, max, step } = field;
  const set = ({ target }: Event): void => {
    const input = target as HTMLInputElement;
    if (Number.isFinite(input.valueAsNumber) && input.validity.valid)
      page.settings.set({ [name]: input.valueAsNumber });
    else input.value = String(values[name]);
  };
  return html`
    <div class="row">
      <label for=${name}>${label}</label>
      <input id=${name} type="number" min=${min} max=${max} step=${step} .value=${String(values[name])}
        aria-describedby="${name}-hint" @change=${set} />
      <p class="note" id="${name}-hint">${hint}</p>
    </div>`;
}

const dialog = (): HTMLDialogElement | null => document.querySelector("#settings");
export const openSettingsDialog = (): void => dialog()?.showModal();
const closeSettingsDialog = (): void => dialog()?.close();
