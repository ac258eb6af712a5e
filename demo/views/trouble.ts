// An error, with buttons that may help.
import { html, type TemplateResult } from "lit";
import type { Page } from "../page.ts";
import { REMEDY_LABELS, type Trouble } from "../trouble.ts";

export function troubleView(page: Page, { title, advice, detail, shown, remedies }: Trouble): TemplateResult {
  return html`
    <section class="trouble" role="alert">
      <h2>${title}</h2>
      <p>${advice}</p>
      <details ?open=${shown ?? false}><summary>Details</summary><p>${detail}</p></details>
      <div class="buttons">
        ${remedies.map(
          (remedy) =>
            html`<button type="button" @click=${() => page.remedy(remedy)}>${REMEDY_LABELS[remedy]}</button>`,
        )}
      </div>
    </section>`;
}
