// Renders the Markdown of an answer to harmless elements. A model may repeat anything that a web page
// contained.
import DOMPurify from "dompurify";
import { Marked, type TokensList } from "marked";

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
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
});

/** The second defence: removes everything that the renderer above should never produce. */
const ALLOWED = {
  ALLOWED_TAGS:
    "p br hr em strong del code pre blockquote ul ol li a h3 h4 h5 h6 table thead tbody tr th td".split(" "),
  ALLOWED_ATTR: ["href", "start", "align"],
  ALLOWED_URI_REGEXP: /^(https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true as const,
};

export function renderMarkdown(text: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(marked.parser(tokens(text)), ALLOWED);
  for (const link of fragment.querySelectorAll("a")) {
    if (!link.href) link.replaceWith(...link.childNodes);
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
  }
  // Wide ones scroll, so they must be reachable by keyboard.
  for (const wide of fragment.querySelectorAll<HTMLElement>("pre, table")) wide.tabIndex = 0;
  return fragment;
}

/** Closes gaps between heading levels, for readers who navigate by headings. */
function tokens(text: string): TokensList {
  const list = marked.lexer(text);
  let above = 0;
  // The callback is synchronous, so the result is as well.
  void marked.walkTokens(list, (token) => {
    if (token.type !== "heading") return;
    token["depth"] = above = Math.min(token["depth"], above + 1);
  });
  return list;
}

const asText = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
