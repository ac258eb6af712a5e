// The text of single tokens, with the space that they begin with.
import type { Model } from "../../engine/index.ts";

export class TokenTexts {
  readonly #model: Model;
  readonly #texts = new Map<number, string>();
  #anchor: { readonly id: number; readonly text: string } | undefined;

  constructor(model: Model) {
    this.#model = model;
  }

  /** A token's text, or its number where that has none: "‹1›". Known after `load`. */
  of(id: number): string {
    return this.#texts.get(id) || `‹${id}›`;
  }

  /**
   * Decoding drops a text's first space: so each token is decoded after another one, whose text is removed
   * again.
   */
  async load(ids: Iterable<number>): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => !this.#texts.has(id));
    if (unknown.length === 0) return;
    const anchor = await this.#findAnchor();
    await Promise.all(
      unknown.map(async (id) => {
        const text = await this.#model.decode([anchor.id, id]);
        this.#texts.set(id, text.slice(anchor.text.length));
      }),
    );
  }

  async #findAnchor(): Promise<{ readonly id: number; readonly text: string }> {
    if (this.#anchor) return this.#anchor;
    const id = (await this.#model.encode("a")).at(-1) ?? 0;
    this.#anchor = { id, text: await this.#model.decode([id]) };
    return this.#anchor;
  }
}

/** As shown on one line: a line break is a mark, a space at the start stays visible. */
export const visibleText = (text: string): string => text.replace(/\n/g, "↵").replace(/\t/g, "⇥");
