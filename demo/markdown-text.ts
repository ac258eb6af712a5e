// <markdown-text>: a growing answer. Unchanged elements stay in the page, so a selection in them is kept.
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
    // At most one update per frame, however many tokens arrive.
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
