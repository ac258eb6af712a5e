// A native dialog: it traps the focus, restores it, and closes with Escape.
import { html, type TemplateResult } from "lit";
import { ref } from "lit/directives/ref.js";
import { icons } from "./icons.ts";

interface DialogParts {
  readonly id: string;
  readonly title: string;
  readonly body: unknown;
  /** undefined: opened and closed by its caller. */
  readonly open?: boolean;
  readonly onClose?: () => void;
}

export function dialogView({ id, title, body, open, onClose }: DialogParts): TemplateResult {
  const sync = (element?: Element): void => {
    const dialog = element as HTMLDialogElement | undefined;
    if (!dialog || open === undefined || dialog.open === open) return;
    // It must be in the page first.
    queueMicrotask(() => (open ? dialog.isConnected && !dialog.open && dialog.showModal() : dialog.close()));
  };
  const close = ({ currentTarget }: Event): void => (currentTarget as HTMLElement).closest("dialog")?.close();
  return html`
    <dialog id=${id} aria-labelledby="${id}-title" @close=${() => onClose?.()} ${ref(sync)}>
      <div class="line">
        <h2 id="${id}-title">${title}</h2>
        <button type="button" class="plain" aria-label="Close" @click=${close}>${icons.close}</button>
      </div>
      ${body}
    </dialog>`;
}
