// A part of the settings dialog: the tools that the model may ask for.
import { html, nothing, type TemplateResult } from "lit";
import type { Page } from "../page.ts";

export function toolsView({ settings }: Page): TemplateResult {
  const { toolsOn, tools, shape } = settings.values;
  const turn = ({ target }: Event): void => settings.set({ toolsOn: (target as HTMLInputElement).checked });
  const write = ({ target }: Event): void => {
    const field = target as HTMLTextAreaElement;
    settings.set({ tools: field.value });
    void check(field);
  };
  const insertExample = async (): Promise<void> => {
    const { EXAMPLE } = await import("../tools.ts");
    const field = document.querySelector("#tools") as HTMLTextAreaElement;
    field.value = EXAMPLE;
    settings.set({ tools: EXAMPLE });
    await check(field);
    field.focus();
  };
  return html`
    <div class="row">
      <label>
        <input type="checkbox" aria-describedby="tools-hint" .checked=${toolsOn} @change=${turn} />
        Tools
      </label>
      <p class="note" id="tools-hint">
        Functions that the model may ask for. Its calls appear in the conversation, and you write what they return.
      </p>
    </div>
    ${
      toolsOn
        ? html`
          <div class="row">
            <label for="tools">Tools as a JSON list</label>
            <textarea id="tools" class="code" rows="8" spellcheck="false" aria-describedby="tools-problem"
              placeholder='[{"name": "…", "description": "…", "parameters": {…}}]' .value=${tools} @change=${write}></textarea>
            <p class="note bad" id="tools-problem" role="alert"></p>
            ${shape === "text" ? nothing : html`<p class="note">Choose “Any text” as the form of answers: most models refuse another one together with tools.</p>`}
            <div class="line">
              <button type="button" ?disabled=${tools.trim() !== ""} @click=${insertExample}>Insert an example</button>
            </div>
          </div>`
        : nothing
    }`;
}

/** Says at the field what is wrong with it. */
async function check(field: HTMLTextAreaElement): Promise<void> {
  const { toolsProblem } = await import("../tools.ts");
  const problem = toolsProblem(field.value);
  if (problem === undefined) field.removeAttribute("aria-invalid");
  else field.setAttribute("aria-invalid", "true");
  const place = document.querySelector("#tools-problem");
  if (place) place.textContent = problem ?? "";
}
