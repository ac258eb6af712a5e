// <copy-button>: copies a text, and says for two seconds whether the browser allowed it. It sends the event
// "announce", with a line for screen readers.
import { html, LitElement } from "lit";
import { icons } from "./views/icons.ts";

const SHOWN_MS = 2000;

const RESULTS = {
  copied: { label: "Copied", icon: icons.done, announced: "Copied." },
  refused: { label: "Not copied", icon: icons.close, announced: "The browser did not let the page copy." },
};

export class CopyButton extends LitElement {
  text = "";
  label = "Copy";
  /** Shows words beside the icon. */
  wide = false;
  #result: keyof typeof RESULTS | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** No shadow root: the page's style sheet applies. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  async #copy(): Promise<void> {
    // No clipboard at all on an address without HTTPS.
    const copying = async () => navigator.clipboard.writeText(this.text);
    this.#result = await copying().then(
      () => "copied" as const,
      () => "refused" as const,
    );
    this.requestUpdate();
    const detail = RESULTS[this.#result].announced;
    this.dispatchEvent(new CustomEvent("announce", { bubbles: true, detail }));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#result = undefined;
      this.requestUpdate();
    }, SHOWN_MS);
  }

  protected override render() {
    const result = this.#result && RESULTS[this.#result];
    const label = result?.label ?? this.label;
    return html`
      <button type="button" class="plain small" aria-label=${label} title=${result?.announced ?? label}
        data-result=${this.#result ?? ""} @click=${() => this.#copy()}>
        ${result?.icon ?? icons.copy} ${this.wide ? (result?.label ?? "Copy") : ""}
      </button>`;
  }
}
