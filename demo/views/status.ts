// The progress of loading, or why there is no model.
import { html, nothing, type TemplateResult } from "lit";
import type { Progress } from "../engine.ts";
import { bytes, duration } from "../format.ts";
import type { Page } from "../page.ts";
import type { ProgressMeter } from "../progress-meter.ts";
import type { Restoring } from "../session.ts";
import { troubleView } from "./trouble.ts";

const STAGES = {
  download: "Downloading",
  tune: "Measuring which kernels are fastest here",
  load: "Loading",
} as const;

export function statusView(page: Page): TemplateResult | typeof nothing {
  const { state } = page.session;
  if (state.kind === "failed") return troubleView(page, state.trouble);
  if (state.kind === "empty") return noModel(page);
  if (state.kind === "loading") return loading(page, state.progress, state.meter);
  return state.restoring && page.answering.live ? restoring(page, state.restoring) : nothing;
}

const restoring = (page: Page, { progress, meter }: Restoring): TemplateResult => html`
  <section class="loading" aria-label="Loading again">
    <div class="line">
      <div class="what">
        <strong>The GPU went away</strong>
        <span class="stage">The model is loaded again; then the answer continues.</span>
      </div>
    </div>
    ${bar(page, progress)}
    <span class="numbers">${numbers(progress, meter)}</span>
  </section>`;

function loading(page: Page, progress: Progress | undefined, meter: ProgressMeter): TemplateResult {
  return html`
    <section class="loading" aria-label="Loading">
      <div class="line">
        <div class="what">
          <strong>${page.session.name}</strong>
          <span class="stage">${progress ? STAGES[progress.stage] : "Opening"}</span>
        </div>
        <span class="grow"></span>
        <button type="button" @click=${() => page.session.cancel()}>Cancel</button>
      </div>
      ${bar(page, progress)}
      <span class="numbers">${progress ? numbers(progress, meter) : nothing}</span>
    </section>`;
}

const bar = (page: Page, progress: Progress | undefined): TemplateResult =>
  html`<progress aria-label="Loading ${page.session.name}" max="1" .value=${fraction(progress)}></progress>`;

const fraction = (progress: Progress | undefined): number =>
  progress && progress.total > 0 ? progress.loaded / progress.total : 0;

function numbers(progress: Progress, meter: ProgressMeter): string {
  const { stage, loaded, total } = progress;
  if (stage === "tune") return `${loaded} of ${total} variants`;
  const { speed } = meter;
  const left = meter.remaining(progress);
  return [
    `${bytes(loaded)} of ${bytes(total)}`,
    speed === undefined ? "" : `${bytes(Math.round(speed))}/s`,
    left === undefined || left < 1 ? "" : `${duration(left)} left`,
  ]
    .filter(Boolean)
    .join(" · ");
}

const noModel = (page: Page): TemplateResult => html`
  <section class="trouble" role="status">
    <h2>No model is loaded</h2>
    <div class="buttons">
      <button type="button" @click=${() => page.remedy("embedded")}>Use the tiny model</button>
      <button type="button" @click=${() => page.go("models")}>Choose a model</button>
    </div>
  </section>`;
