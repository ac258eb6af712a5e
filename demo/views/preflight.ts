// The dialog before loading: what the model needs, what this GPU has, and which formats fit.
import { html, nothing, type TemplateResult } from "lit";
import { isCpu } from "../computes.ts";
import type { Choice, Plan } from "../engine.ts";
import { bytes, count } from "../format.ts";
import { rememberWindow } from "../last-model.ts";
import { withoutFile } from "../model-name.ts";
import type { Offers } from "../offers.ts";
import type { Page } from "../page.ts";
import type { PreflightState } from "../preflight.ts";
import { knownChoice, modelPage, titleOf } from "../recommended.ts";
import { dialogView } from "./dialog.ts";

const PAIRED = "4 bits per weight, with a scale and an offset for each group";
const FORMATS: Readonly<Record<Plan["weights"], string>> = {
  ...{ q4a: PAIRED, q4a64: PAIRED, q4a128: PAIRED, q4k: PAIRED },
  q4: "4 bits per weight: smallest and fastest, slightly less accurate",
  q8: "8 bits per weight: practically as good as the original",
  bf16: "16 bits, as stored: exact",
  f16: "16 bits, as stored: exact",
  f32: "32 bits: exact",
};

const ON_GPU = "on the GPU";

/** More than most laptop GPUs have. WebGPU does not report the amount of memory. */
const MUCH = 6 * 2 ** 30;
/** From these numbers of parameters on, a software driver is too slow, and the CPU is slow. */
const SLOW = { driver: 2e8, cpu: 1e9 };

export function preflightView(page: Page): TemplateResult {
  const { preflight } = page;
  const { state } = preflight;
  return dialogView({
    id: "preflight",
    title: preflight.choice ? `Load ${titleOf(preflight.choice)}` : "Load",
    open: state.kind !== "closed",
    onClose: () => preflight.close(),
    body: state.kind === "closed" ? nothing : body(page, state),
  });
}

function body(page: Page, state: Exclude<PreflightState, { kind: "closed" }>): TemplateResult {
  if (state.kind === "planning") return html`<p role="status">Reading its requirements…</p>`;
  if (state.kind === "planned") return planned(page, state.offers, state.weights);
  const { title, advice, detail, shown } = state.trouble;
  return html`
    <div class="trouble" role="alert">
      <h3>${title}</h3>
      <p>${advice}</p>
      <details ?open=${shown ?? false}><summary>Details</summary><p>${detail}</p></details>
    </div>
    ${page.preflight.wantsToken ? tokenForm(page) : nothing}
    <div class="buttons">
      ${
        page.preflight.wantsToken
          ? nothing
          : html`<button type="button" @click=${() => page.preflight.choice && page.choose(page.preflight.choice)}>Try again</button>`
      }
      <button type="button" @click=${() => page.preflight.close()}>Close</button>
    </div>`;
}

function tokenForm(page: Page): TemplateResult {
  const { choice } = page.preflight;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const token = String(new FormData(event.target as HTMLFormElement).get("token")).trim();
    if (choice?.kind === "named") page.choose({ ...choice, token });
  };
  return html`
    <form class="row" @submit=${submit}>
      ${permissionView(choice)}
      <label for="token">Access token</label>
      <div class="line">
        <input id="token" name="token" type="password" required autocomplete="off" placeholder="hf_…" />
        <button type="submit" class="primary">Use it</button>
      </div>
      <p class="note">It is sent only to huggingface.co and not stored.</p>
    </form>`;
}

const permissionView = (choice: Choice | undefined): TemplateResult | typeof nothing =>
  choice?.kind === "named" && !choice.name.includes(":")
    ? html`<ol class="steps">
        <li>${outside(modelPage(choice.name), "Accept the terms on the model's page")}. Log in there first.</li>
        <li>${outside("https://huggingface.co/settings/tokens", "Make an access token")} that may read.</li>
        <li>Paste it here.</li>
      </ol>`
    : nothing;

const outside = (address: string, text: string): TemplateResult =>
  html`<a href=${address} target="_blank" rel="noopener noreferrer">${text}</a>`;

function planned(page: Page, offers: Offers, weights: Plan["weights"] | "auto" | undefined): TemplateResult {
  const { plans, fits, lostWindow, window } = offers;
  const plan = plans.find((each) => each.weights === weights) ?? fits;
  const known = knownChoice(page.preflight.choice);
  const place = isCpu(plan.adapter) ? "in memory" : ON_GPU;
  const load = (event: Event): void => {
    event.preventDefault();
    const { choice } = page.preflight;
    page.preflight.close();
    // Some browsers allow this only after a click.
    if (choice?.kind === "named") void page.storedModels.persist();
    if (choice && lostWindow !== undefined) rememberWindow(choice, window);
    if (choice)
      void page.session.load(choice, { weights: plan.weights, ...(window !== undefined && { window }) });
    page.go("chat");
  };
  return html`
    <form @submit=${load}>
      ${fileView(page, offers)}
      <dl class="facts-list">
        <div><dt>Parameters</dt><dd>${count(plan.parameters)}</dd></div>
        <div><dt>${page.preflight.choice?.kind === "files" ? "To read" : "To download"}</dt><dd>${bytes(plan.checkpointBytes)}</dd></div>
        <div><dt>Context</dt><dd>${plan.contextLength > plan.cacheSlots ? "rolling window" : `${plan.contextLength} tokens`}</dd></div>
        ${known ? html`<div><dt>Licence</dt><dd>${known.licence}</dd></div>` : nothing}
      </dl>
      <fieldset>
        <legend>Weights ${place}</legend>
        ${plans.map((each) => formatView(page, each, each === plan, each === fits))}
      </fieldset>
      <table>
        <caption>Memory ${place === ON_GPU ? place : ""}</caption>
        <thead><tr><th scope="col">Weights</th><th scope="col">Keys and values</th><th scope="col">Scratch</th><th scope="col">Total</th></tr></thead>
        <tbody>
          <tr>
            <td>${bytes(plan.weightBytes)}</td><td>${bytes(plan.cacheBytes)} (${plan.cache})</td>
            <td>${bytes(plan.scratchBytes)}</td><td><strong>${bytes(plan.totalBytes)}</strong></td>
          </tr>
        </tbody>
      </table>
      ${lostWindow === undefined ? nothing : windowView(page, lostWindow, window !== undefined)}
      ${isCpu(plan.adapter) ? cpuView(plan) : gpuView(plan)}
      <div class="buttons">
        <button type="submit" class="primary">Load</button>
        <button type="button" @click=${() => page.preflight.close()}>Cancel</button>
      </div>
    </form>`;
}

/** Which GGUF file is read; of several in a repository, the visitor may take another. */
function fileView(page: Page, { file, files }: Offers): TemplateResult | typeof nothing {
  const { choice } = page.preflight;
  if (file === undefined || choice?.kind !== "named" || files.length < 2) return nothing;
  const choose = ({ target }: Event): void => {
    const { value } = target as HTMLSelectElement;
    page.choose({ ...choice, name: `${withoutFile(choice.name)}/${value}` });
  };
  return html`
    <div class="row">
      <label for="gguf-file">File</label>
      <select id="gguf-file" @change=${choose}>
        ${files.map(
          (each) =>
            html`<option value=${each.name} ?selected=${each.name === file}>${each.name} (${bytes(each.bytes)})</option>`,
        )}
      </select>
    </div>`;
}

const windowView = (page: Page, lost: number, given: boolean): TemplateResult => html`
  <label class="choice">
    <input type="checkbox" .checked=${given}
      @change=${({ target }: Event) => page.preflight.give((target as HTMLInputElement).checked ? lost : undefined)} />
    <span>
      <strong>Give back the attention window of ${lost} tokens</strong>
      <br /><span class="note">
        GGUF files of Mistral 7B v0.1 have lost it. Without it, the model reads texts that are longer in a way it was not trained for.
      </span>
    </span>
  </label>`;

const formatView = (page: Page, plan: Plan, chosen: boolean, fits: boolean): TemplateResult => html`
  <label class="choice">
    <input type="radio" name="weights" value=${plan.weights} .checked=${chosen}
      @change=${() => page.preflight.select(plan.weights)} />
    <span>
      <strong>${plan.weights}</strong>, ${bytes(plan.totalBytes)} ${fits ? html`<span class="badge">fits best</span>` : nothing}
      <br /><span class="note">${FORMATS[plan.weights]}</span>
    </span>
  </label>`;

const cpuView = ({ adapter, parameters }: Plan): TemplateResult => html`
  <p>
    <strong>No GPU is found, so the CPU computes:</strong> ${adapter.name}. The tiny model and small ones run well.
  </p>
  ${
    parameters > SLOW.cpu
      ? html`<p class="warning">A model of this size is slow on the CPU: expect seconds for a word on a small machine. A browser with
          WebGPU and a GPU is many times faster.</p>`
      : nothing
  }`;

function gpuView({ adapter, totalBytes, parameters }: Plan): TemplateResult {
  return html`
    <p>
      <strong>This GPU:</strong> ${adapter.name}; buffers of up to ${bytes(adapter.maxBufferBytes)},
      ${adapter.features.includes("shader-f16") ? "with" : "without"} 16-bit arithmetic.
    </p>
    ${
      adapter.software && parameters > SLOW.driver
        ? html`<p class="warning">This driver computes on the CPU. A model of this size will be very slow.</p>`
        : nothing
    }
    ${
      totalBytes > MUCH
        ? html`<p class="warning">This is more memory than many GPUs have. Browsers do not report how much there is: choose a smaller
            format if you are not sure.</p>`
        : nothing
    }`;
}
