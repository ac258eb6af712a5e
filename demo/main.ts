// The page: its style, and the element that fills it.
import "./style/base.css";
import "./style/layout.css";
import "./style/chat.css";
import "./style/dialogs.css";
import { App } from "./app.ts";
import { MarkdownText } from "./markdown-text.ts";

customElements.define("markdown-text", MarkdownText);
customElements.define("sirocco-app", App);
