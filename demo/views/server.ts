// A part of the models page: chat with a model behind a server.
import { html, nothing, type TemplateResult } from "lit";
import { serverAddress } from "../model-name.ts";
import type { Page } from "../page.ts";

export function serverSection(page: Page): TemplateResult {
  const { choice, state } = page.session;
  const server = choice.kind === "server" ? choice : undefined;
  const names = state.kind === "ready" ? (state.model.names ?? []) : [];
  const connect = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    const field = form.elements.namedItem("address") as HTMLInputElement;
    const address = serverAddress(String(data.get("address")));
    field.setCustomValidity(address ? "" : "Expected an address such as http://localhost:8000/v1.");
    if (!address) return void form.reportValidity();
    const key = String(data.get("key")).trim();
    page.choose({ kind: "server", address, ...(key && { key }) });
  };
  const other = ({ target }: Event): void => {
    if (server) page.choose({ ...server, model: (target as HTMLSelectElement).value });
  };
  return html`
    <section aria-labelledby="server-title">
      <h3 id="server-title">A model behind a server</h3>
      <p class="note">
        Any server with OpenAI's API: <code>sirocco serve</code>, llama.cpp, Ollama, LM Studio, vLLM. Messages are sent there.
      </p>
      <form class="cards" @submit=${connect} @input=${forgive}>
        <div class="row">
          <label for="server-address">Address</label>
          <input id="server-address" name="address" required inputmode="url" autocomplete="off" spellcheck="false"
            placeholder="http://localhost:8000/v1" .value=${server?.address ?? ""} />
        </div>
        <div class="row">
          <label for="server-key">Key, if it asks for one</label>
          <input id="server-key" name="key" type="password" autocomplete="off" />
        </div>
        <button type="submit">Connect</button>
      </form>
      ${
        server && names.length > 1
          ? html`<div class="row">
              <label for="server-model">Model</label>
              <select id="server-model" @change=${other}>
                ${names.map((name) => html`<option ?selected=${name === page.session.name}>${name}</option>`)}
              </select>
            </div>`
          : nothing
      }
    </section>`;
}

/** A field that was refused may be sent again once it is changed. */
const forgive = ({ target }: Event): void => (target as HTMLInputElement).setCustomValidity("");
