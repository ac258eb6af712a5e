// The Inspect panel. Its code is fetched when it is first opened.
import type { Answering } from "./answering.ts";
import { isLocal, type Message, type Model } from "./engine.ts";
import type { mountInspect } from "./inspect/panel.ts";
import { Observable } from "./observable.ts";
import type { Session } from "./session.ts";
import { speed } from "./speed.ts";

type Panel = ReturnType<typeof mountInspect>;

export class Inspector extends Observable {
  open = false;
  readonly #session: Session;
  readonly #answering: Answering;
  #panel: { readonly panel: Panel; readonly model: Model } | undefined;
  #prompt: { readonly messages: readonly Message[]; readonly ids: Promise<readonly number[]> } | undefined;
  #container: (() => HTMLElement | null) | undefined;

  constructor(session: Session, answering: Answering) {
    super();
    this.#session = session;
    this.#answering = answering;
    session.watch(() => void this.#mount());
    answering.watch(() => void this.#tell());
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
    const loaded = this.open && state.kind === "ready" ? state.model : undefined;
    const model = isLocal(loaded) ? loaded : undefined;
    if (model === this.#panel?.model) return;
    this.#panel?.panel.dispose();
    this.#panel = undefined;
    const module = model && (await import("./inspect/panel.ts"));
    const container = this.#container?.();
    // The panel was closed, or the model replaced, during the fetch.
    const now = this.#session.state;
    if (!module || !container || !this.open || this.#panel || now.kind !== "ready" || now.model !== model)
      return;
    this.#panel = { model, panel: module.mountInspect(container, model) };
    await this.#tell();
  }

  /** Passes the newest answer to the panel. Its prompt is rendered once, and only while the panel is open. */
  async #tell(): Promise<void> {
    const { latest } = this.#answering;
    const shown = this.#panel;
    if (!shown || !latest) return;
    const { messages } = latest;
    if (this.#prompt?.messages !== messages)
      this.#prompt = { messages, ids: shown.model.encodeChat(messages).catch(() => []) };
    const promptIds = await this.#prompt.ids;
    if (this.#panel !== shown || this.#answering.latest !== latest) return;
    const { ids, chunks, finish, adapter } = latest;
    const position = promptIds.length + ids.length;
    const tokensPerSecond = speed(chunks);
    shown.panel.update({
      ids: [...ids],
      promptIds,
      position,
      ...(finish && { finish }),
      ...(adapter !== undefined && { adapter }),
      ...(tokensPerSecond !== undefined && { tokensPerSecond }),
    });
  }
}
