// The Inspect panel, fetched when it is first opened: closed, it costs nothing.
import type { Answering, LiveAnswer } from "./answering.ts";
import type { Model } from "./engine.ts";
import { Observable } from "./observable.ts";
import type { Session } from "./session.ts";

/** What inspect/panel.ts exports. */
interface PanelModule {
  mountInspect(container: HTMLElement, model: Model): Panel;
}

interface Panel {
  update(answer: LiveAnswer | undefined): void;
  dispose(): void;
}

const [fetchPanel] = Object.values(import.meta.glob<PanelModule>("./inspect/panel.ts"));

export class Inspector extends Observable {
  readonly available = fetchPanel !== undefined;
  open = false;
  readonly #session: Session;
  readonly #answering: Answering;
  #panel: { readonly panel: Panel; readonly model: Model } | undefined;
  #container: (() => HTMLElement | null) | undefined;

  constructor(session: Session, answering: Answering) {
    super();
    this.#session = session;
    this.#answering = answering;
    session.watch(() => void this.#mount());
    answering.watch(() => this.#panel?.panel.update(answering.latest));
  }

  async toggle(container: () => HTMLElement | null): Promise<void> {
    this.open = !this.open;
    this.#container = container;
    this.changed();
    await this.#mount();
  }

  /** A panel belongs to one model. */
  async #mount(): Promise<void> {
    const { state } = this.#session;
    const model = this.open && state.kind === "ready" ? state.model : undefined;
    if (model === this.#panel?.model) return;
    this.#panel?.panel.dispose();
    this.#panel = undefined;
    const module = model && (await fetchPanel?.());
    const container = this.#container?.();
    // Closed, or another model's, while the panel was fetched.
    const now = this.#session.state;
    if (!module || !container || !this.open || this.#panel || now.kind !== "ready" || now.model !== model)
      return;
    this.#panel = { model, panel: module.mountInspect(container, model) };
    this.#panel.panel.update(this.#answering.latest);
  }
}
