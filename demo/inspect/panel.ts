// The Inspect panel: watch a model compute. Loaded when it is opened; while closed it does not use the model.
import { html, LitElement, nothing, type PropertyValues } from "lit";
import type { AttentionWeights, Candidate, KernelTime, Model } from "../../engine/index.ts";
import type { Answer } from "./answer.ts";
import { AttentionPlot } from "./attention-plot.ts";
import { attentionView, type HeadChoice } from "./attention-view.ts";
import { groupOf } from "./colors.ts";
import { kernelBars } from "./kernels.ts";
import { Latest } from "./latest.ts";
import { headSharing, memory } from "./memory.ts";
import { ringView } from "./ring.ts";
import { speed } from "./speed.ts";
import { styles } from "./styles.ts";
import { TokenTexts } from "./token-texts.ts";
import { candidateBars, words } from "./words.ts";

const NOTHING: Answer = { ids: [], promptIds: [], position: 0 };

/** Whether a sequence begins with another. */
const begins = (ids: readonly number[], earlier: readonly number[]): boolean =>
  earlier.length <= ids.length && earlier.every((id, i) => id === ids[i]);

export class InspectPanel extends LitElement {
  static override styles = styles;
  static override properties = { answer: { attribute: false } };
  declare model: Model;
  declare answer: Answer;
  #texts: TokenTexts | undefined;
  #times: readonly KernelTime[] | undefined;
  #candidates: { readonly of: number; readonly list: readonly Candidate[] } | undefined;
  #attention: { readonly weights: AttentionWeights; readonly context: readonly number[] } | undefined;
  /** The clicked token of the answer; by default the last one. */
  #clicked: number | undefined;
  #layer = 0;
  #head: HeadChoice = "all";
  #trouble = "";
  readonly #looking = new Latest();
  readonly #profiling = new Latest();

  constructor() {
    super();
    this.answer = NOTHING;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#looking.clear();
    this.#profiling.clear();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!this.#texts) {
      this.#texts = new TokenTexts(this.model);
      this.#layer = this.model.config.L - 1;
      this.#profile();
    }
    const before = changed.get("answer") as Answer | undefined;
    if (!before || before === this.answer) return;
    const { ids, promptIds, finish } = this.answer;
    if (!begins(promptIds, before.promptIds) || !begins(ids, before.ids)) {
      this.#clicked = undefined;
      this.#candidates = undefined;
      this.#attention = undefined;
    }
    // During an answer the model would delay these until its end.
    if (finish && finish !== before.finish) {
      this.#look();
      this.#profile();
    }
  }

  get #chosen(): number | undefined {
    const last = this.answer.ids.length - 1;
    return last < 0 ? undefined : Math.min(this.#clicked ?? last, last);
  }

  #choose(index: number): void {
    this.#clicked = index;
    this.#look();
    this.requestUpdate();
  }

  /** Candidates and attention before the chosen token. */
  #look(): void {
    const chosen = this.#chosen;
    const { ids, promptIds, adapter } = this.answer;
    const texts = this.#texts;
    if (chosen === undefined || !texts || promptIds.length + chosen === 0) return;
    const layer = this.#layer;
    const context = [...promptIds, ...ids.slice(0, chosen)];
    this.#looking.run(() =>
      this.#guarded(async () => {
        await texts.load([...promptIds, ...ids]);
        const adapted = adapter === undefined ? {} : { adapter };
        const list = await this.model.candidates(context, { count: 8, ...adapted });
        // Only that of the model itself can be read.
        const weights = adapter === undefined ? await this.model.attention(context, { layer }) : undefined;
        if (this.#looking.overtaken) return;
        this.#candidates = { of: chosen, list };
        this.#attention = weights && { weights, context };
      }),
    );
  }

  #profile(): void {
    this.#profiling.run(() =>
      this.#guarded(async () => {
        this.#times = await this.model.profile();
      }),
    );
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#trouble = "";
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : String(error);
    }
    this.requestUpdate();
  }

  override render() {
    const { model, answer } = this;
    const { config, plan } = model;
    const ring = { S: plan.cacheSlots, W: config.W, position: answer.position };
    const section = (id: string, title: string, content: unknown) => html`
      <section id=${id} aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${content}</section>
    `;
    return html`
      ${this.#trouble ? html`<section role="alert"><p class="bad">${this.#trouble}</p></section>` : nothing}
      ${section("speed", "Speed", speed(answer))}
      ${section("words", "Behind a word", this.#wordsContent())}
      ${section("attention", "Attention", this.#attentionContent())}
      ${section("ring", "Ring cache", ringView(ring))}
      ${section("kernels", "GPU time by kernel", this.#kernelsContent())}
      ${section("memory", "Memory", memory(model))}
      ${section("sharing", "Sharing keys and values", headSharing(model))}
    `;
  }

  #wordsContent() {
    const { ids, finish } = this.answer;
    const texts = this.#texts;
    const chosen = this.#chosen;
    if (!texts || chosen === undefined)
      return html`<p class="soft">Ask something; then click a word of the answer.</p>`;
    if (!finish && !this.#candidates)
      return html`<p class="soft">When the answer has ended, click a word of it.</p>`;
    const of = this.#candidates?.of;
    const candidates = this.#candidates;
    return html`
      <p class="soft">Click a word: what else might have come, and what the model looked at when it picked it.</p>
      ${words(ids, chosen, texts, (index) => this.#choose(index))}
      ${candidates && of !== undefined ? candidateBars(candidates.list, ids[of] ?? -1) : nothing}
    `;
  }

  #attentionContent() {
    if (this.answer.adapter !== undefined)
      return html`<p class="soft">Of answers with a LoRA adapter no attention is shown.</p>`;
    const { L, H, G } = this.model.config;
    const layerChanged = (event: Event) => {
      this.#layer = Number((event.target as HTMLSelectElement).value);
      this.#look();
    };
    const headChanged = (event: Event) => {
      const { value } = event.target as HTMLSelectElement;
      this.#head = value === "all" ? "all" : Number(value);
      this.requestUpdate();
    };
    const headsOf = (g: number) =>
      Array.from({ length: H }, (_, h) => h).filter((h) => groupOf(h, H, G) === g);
    return html`
      <div class="choices">
        <span><label for="layer">Layer</label> <select id="layer" @change=${layerChanged}>
            ${Array.from({ length: L }, (_, l) => html`<option value=${l} ?selected=${l === this.#layer}>${l}</option>`)}
          </select></span>
        <span><label for="head">Head</label> <select id="head" @change=${headChanged}>
            <option value="all">all</option>
            ${Array.from(
              { length: G },
              (_, g) => html`<optgroup label="Key/value head ${g}">
              ${headsOf(g).map((h) => html`<option value=${h}>${h}</option>`)}
            </optgroup>`,
            )}
          </select></span>
      </div>
      ${
        this.#attention && this.#texts
          ? attentionView(this.#attention.weights, this.#head, this.#attention.context, this.#texts)
          : html`<p class="soft">Shown when an answer has ended.</p>`
      }
    `;
  }

  #kernelsContent() {
    return html`
      ${this.#times ? kernelBars(this.#times) : html`<p class="soft">Measured when the model is free.</p>`}
      <button type="button" @click=${() => this.#profile()}>Measure again</button>
    `;
  }
}

// Not in the plot's module: no other module imports a value from it, so a bundler would drop it.
customElements.define("sirocco-attention-plot", AttentionPlot);
customElements.define("sirocco-inspect", InspectPanel);

/** Puts the panel into a container. `update` without an answer empties it. */
export function mountInspect(
  container: HTMLElement,
  model: Model,
): { update(answer: Answer | undefined): void; dispose(): void } {
  const panel = new InspectPanel();
  panel.model = model;
  container.append(panel);
  return {
    update(answer) {
      panel.answer = answer ?? NOTHING;
    },
    dispose: () => panel.remove(),
  };
}
