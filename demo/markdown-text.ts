// <markdown-text>: an answer while it grows. What has not changed stays in the page, and with it a selection
// in it.
import { renderMarkdown } from "./markdown.ts";

export class MarkdownText extends HTMLElement {
  #text = "";
  #frame: number | undefined;

  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    if (text === this.#text) return;
    this.#text = text;
    // Several tokens may come within a frame.
    this.#frame ??= requestAnimationFrame(() => this.#show());
  }

  disconnectedCallback(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }

  connectedCallback(): void {
    this.#show();
  }

  #show(): void {
    this.#frame = undefined;
    const next = [...renderMarkdown(this.#text).childNodes];
    next.forEach((node, i) => {
      const old = this.childNodes[i];
      if (!old) this.append(node);
      else if (!old.isEqualNode(node)) old.replaceWith(node);
    });
    while (this.childNodes.length > next.length) this.lastChild?.remove();
  }
}
