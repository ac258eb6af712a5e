// Renders the Markdown of an answer to harmless elements. A model may repeat anything that a web page
// contained.
import DOMPurify from "dompurify";
import { Marked, type Token } from "marked";
import { mathsSyntax } from "./maths-syntax.ts";

/** A paragraph, a list, a code block, ... at the top level of an answer. */
export interface Block {
  /** Blocks with the same key have the same elements. */
  readonly key: string;
  render(): DocumentFragment;
}

/**
 * HTML in an answer is shown as text. Images are not fetched: their address could carry the conversation
 * away.
 */
const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }) => asText(text),
    image: ({ href, text }) => asText(`![${text}](${href})`),
    // Below the page's own headings.
    heading({ tokens, depth }) {
      const level = Math.min(6, depth + 2);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
    code({ text, lang }) {
      const language = /^[\w+#.-]{1,30}/.exec(lang ?? "")?.[0].toLowerCase();
      const name = language ? ` class="language-${asText(language)}"` : "";
      return `<pre><code${name}>${asText(text)}</code></pre>\n`;
    },
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
  // maths.ts takes it from there.
  extensions: mathsSyntax(
    (source, display) => `<code class="math${display ? " display" : ""}">${asText(source)}</code>`,
  ),
});

/** The second defence: removes everything that the renderer above should never produce. */
const ALLOWED = {
  ALLOWED_TAGS:
    "p br hr em strong del code pre blockquote ul ol li a h3 h4 h5 h6 table thead tbody tr th td".split(" "),
  ALLOWED_ATTR: ["href", "start", "align", "class"],
  ALLOWED_URI_REGEXP: /^(https?|mailto):/i,
  // DOMPurify takes every other value for an address, and removes "3" and "center".
  ADD_URI_SAFE_ATTR: ["start", "align"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true as const,
};
const ALLOWED_CLASS = /^(language-[\w+#.-]+|math( display)?)$/;

/** In order. The last one of a growing answer may still change. */
export function markdownBlocks(text: string): Block[] {
  const list = marked.lexer(text);
  let above = 0;
  // Closes gaps between heading levels, for readers who navigate by headings. The callback is synchronous,
  // so the result is as well.
  void marked.walkTokens(list, (token) => {
    if (token.type !== "heading") return;
    token["depth"] = above = Math.min(token["depth"], above + 1);
  });
  // A definition changes the links above it.
  const links = JSON.stringify(list.links);
  return list
    .filter(({ type }) => type !== "space" && type !== "def")
    .map((token) => ({
      key: `${token.type} ${"depth" in token ? token["depth"] : ""} ${links} ${token.raw.trimEnd()}`,
      render: () => rendered(token),
    }));
}

function rendered(token: Token): DocumentFragment {
  const fragment = DOMPurify.sanitize(marked.parser([token]), ALLOWED);
  for (const link of fragment.querySelectorAll("a")) {
    if (!link.href) link.replaceWith(...link.childNodes);
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
  }
  for (const named of fragment.querySelectorAll("[class]"))
    if (!ALLOWED_CLASS.test(named.className)) named.removeAttribute("class");
  // Wide ones scroll, so they must be reachable by keyboard.
  for (const wide of fragment.querySelectorAll<HTMLElement>("pre, table")) wide.tabIndex = 0;
  return fragment;
}

const asText = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
