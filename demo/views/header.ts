// The top bar: the model, and buttons for Inspect, theme, shortcuts and settings.
import { html, nothing, type TemplateResult } from "lit";
import type { Page } from "../page.ts";
import { otherColours } from "../theme.ts";
import { icons } from "./icons.ts";
import { openShortcuts } from "./shortcuts.ts";

export function headerView(page: Page): TemplateResult {
  const { chosen } = page.adapters;
  const { colours, theme } = otherColours(page.settings.values.theme);
  return html`
    <header>
      <button
        type="button"
        id="list-button"
        class="plain only-narrow"
        aria-label="Conversations"
        aria-expanded=${page.listOpen}
        aria-controls="conversations"
        @click=${() => page.toggleList()}
      >
        ${icons.menu}
      </button>
      <h1><span class="brand">${icons.wind}</span><span class="brand-name">Sirocco</span></h1>
      <button
        type="button"
        class="model"
        aria-current=${page.place === "models" ? "page" : nothing}
        title="Models: load another one, see what is stored"
        @click=${() => page.go(page.place === "models" ? "chat" : "models")}
      >
        <span class="dot" data-state=${page.session.state.kind}></span>
        <span class="sr-only">Model:</span> <span class="model-name">${page.session.name}${chosen === undefined ? nothing : ` + ${chosen}`}</span>
      </button>
      <span class="grow"></span>
      <button
              type="button"
              id="inspect-button"
              class="plain"
              aria-label="Inspect"
              title="Inspect: watch the model compute"
              aria-expanded=${page.inspecting}
              aria-controls="inspect"
              @click=${() => page.toggleInspect()}
            >
              ${icons.inspect}
            </button>
      <button
        type="button"
        class="plain"
        aria-label=${`Use ${colours} colours`}
        title=${`Use ${colours} colours`}
        @click=${() => page.settings.set({ theme })}
      >
        ${icons.theme}
      </button>
      <button type="button" class="plain only-roomy" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" @click=${openShortcuts}>
        ${icons.keyboard}
      </button>
      <button type="button" class="plain" aria-label="Settings" title="Settings" @click=${() => page.openSettings()}>
        ${icons.settings}
      </button>
    </header>`;
}
