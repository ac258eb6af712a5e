// A part of the settings dialog: what answers have to be.
import { html, nothing, type TemplateResult } from "lit";
import { SHAPES, shapeOf, shapeProblem } from "../answer-shape.ts";
import type { Page } from "../page.ts";

export function shapeView({ settings }: Page): TemplateResult {
  const { shape, shapeText } = settings.values;
  const { asks, example = "" } = shapeOf(shape);
  const problem = shapeProblem(shape, shapeText);
  const choose = ({ target }: Event): void =>
    settings.set({ shape: (target as HTMLSelectElement).value, shapeText: "" });
  const write = ({ target }: Event): void =>
    settings.set({ shapeText: (target as HTMLTextAreaElement).value });
  return html`
    <div class="row">
      <label for="shape">Form of answers</label>
      <select id="shape" aria-describedby="shape-hint" @change=${choose}>
        ${SHAPES.map(({ name, label }) => html`<option value=${name} ?selected=${name === shape}>${label}</option>`)}
      </select>
      <p class="note" id="shape-hint">
        Each token is held to it. The model does not see it: say in the message what you want.
      </p>
    </div>
    ${
      asks
        ? html`
          <div class="row">
            <label for="shape-text">${asks}</label>
            <textarea id="shape-text" class="code" rows="4" spellcheck="false" placeholder=${example}
              aria-invalid=${problem ? "true" : nothing} aria-describedby="shape-problem"
              .value=${shapeText} @change=${write}></textarea>
            <p class="note bad" id="shape-problem" role="alert">${problem ?? ""}</p>
          </div>`
        : nothing
    }`;
}
