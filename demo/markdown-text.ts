// <markdown-text>: an answer. While it grows, only blocks that changed are rendered: a selection in the
// others is kept, and a long answer costs no more than a short one.
import { frameCode } from "./code-block.ts";
import { type Block, markdownBlocks } from "./markdown.ts";

interface Shown {
  readonly key: string;
  readonly nodes: readonly ChildNode[];
  /** Whether its code has its colours, or will have. */
  settled: boolean;
}

export class MarkdownText extends HTMLElement {
  /** Whether text is still added. Its last block has no colours yet. */
  growing = false;
  #text = "";
  #frame: number | undefined;
  #shown: Shown[] = [];

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
    const blocks = markdownBlocks(this.#text);
    const same = blocks.findIndex(({ key }, i) => key !== this.#shown[i]?.key);
    const kept = same === -1 ? blocks.length : same;
    for (const { nodes } of this.#shown.splice(kept)) for (const node of nodes) node.remove();
    for (const block of blocks.slice(kept)) this.#shown.push(this.#add(block));
    const settled = this.growing ? this.#shown.slice(0, -1) : this.#shown;
    for (const block of settled) if (!block.settled) settle(block);
  }

  #add({ key, render }: Block): Shown {
    const fragment = render();
    for (const pre of fragment.querySelectorAll("pre")) frameCode(pre);
    void showMaths(fragment.querySelectorAll<HTMLElement>("code.math"));
    const nodes = [...fragment.childNodes];
    this.append(fragment);
    return { key, nodes, settled: false };
  }
}

function settle(block: Shown): void {
  block.settled = true;
  const codes = block.nodes.flatMap((node) =>
    node instanceof Element ? [...node.querySelectorAll<HTMLElement>("pre > code[class]")] : [],
  );
  if (codes.length > 0) void highlightAll(codes);
}

/** Without the network the code stays as it is. */
async function highlightAll(codes: readonly HTMLElement[]): Promise<void> {
  const loaded = await import("./highlight.ts").catch(() => undefined);
  if (loaded) for (const code of codes) loaded.highlight(code);
}

let maths: typeof import("./maths.ts") | undefined;

/** At once where it can: a growing paragraph should not flicker. */
async function showMaths(codes: NodeListOf<HTMLElement>): Promise<void> {
  if (codes.length === 0) return;
  if (!maths) maths = await import("./maths.ts").catch(() => undefined);
  for (const code of codes) maths?.showMaths(code);
}
