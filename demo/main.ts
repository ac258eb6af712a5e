// Entry point of the page: style, the app element, the service worker.
import "./style/base.css";
import "./style/layout.css";
import "./style/chat.css";
import "./style/answer.css";
import "./style/dialogs.css";
import "./style/conversations.css";
import { App } from "./app.ts";
import { CopyButton } from "./copy-button.ts";
import { ownServer } from "./last-model.ts";
import { MarkdownText } from "./markdown-text.ts";

customElements.define("copy-button", CopyButton);
customElements.define("markdown-text", MarkdownText);
customElements.define("sirocco-app", App);

// A page of `sirocco serve` needs its server anyway.
if (import.meta.env.PROD && !ownServer() && "serviceWorker" in navigator) void keepSite();

/** Without a service worker every visit needs the network. */
async function keepSite(): Promise<void> {
  try {
    await navigator.serviceWorker.register("./service-worker.js", { type: "module" });
    const { active } = await navigator.serviceWorker.ready;
    active?.postMessage("keep");
  } catch {
    // Some browsers refuse it in private windows.
  }
}
