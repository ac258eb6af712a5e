// Icons. Like text, they take size and colour from their surroundings. Screen readers skip them.
import { html, svg, type TemplateResult } from "lit";

const icon = (path: TemplateResult): TemplateResult =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${path}</svg>`;

export const icons = {
  wind: icon(svg`<path d="M3 9h11a3 3 0 1 0-3-3M3 13h15M3 17h9a2.5 2.5 0 1 1-2.5 2.5" />`),
  menu: icon(svg`<path d="M4 7h16M4 12h16M4 17h16" />`),
  settings: icon(
    svg`<path d="M4 8h8m4 0h4M4 16h2m4 0h10" /><circle cx="14" cy="8" r="2" /><circle cx="8" cy="16" r="2" />`,
  ),
  keyboard: icon(
    svg`<rect x="3" y="6" width="18" height="12" rx="2" /><path d="M7 10h.01M12 10h.01M17 10h.01M8 14h8" />`,
  ),
  tool: icon(svg`<path d="M15 4a4.5 4.5 0 0 0-4.3 6L4 16.7V20h3.3l6.7-6.7A4.5 4.5 0 0 0 20 9l-3 1-3-3z" />`),
  theme: icon(svg`<circle cx="12" cy="12" r="8" /><path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor" />`),
  inspect: icon(svg`<path d="M4 19V9m5 10V5m5 14v-8m5 8V7" />`),
  add: icon(svg`<path d="M12 5v14M5 12h14" />`),
  remove: icon(svg`<path d="M5 7h14M10 7V4h4v3m3 0-1 13H8L7 7m3.5 4v5m3-5v5" />`),
  copy: icon(
    svg`<rect x="9" y="9" width="11" height="11" rx="2" /><path d="M5 15H4V5a1 1 0 0 1 1-1h10v1" />`,
  ),
  done: icon(svg`<path d="M5 12.5l4.5 4.5L19 7.5" />`),
  attach: icon(
    svg`<path d="M19 11l-7.5 7.5a4 4 0 0 1-6-6L13 5a2.7 2.7 0 0 1 4 4l-7.5 7.5a1.3 1.3 0 0 1-2-2L14 8" />`,
  ),
  file: icon(svg`<path d="M6 3h8l4 4v14H6zM14 3v4h4" />`),
  again: icon(svg`<path d="M20 12a8 8 0 1 1-2.6-5.9L20 8M20 4v4h-4" />`),
  edit: icon(svg`<path d="M4 20h4L19 9l-4-4L4 16z" />`),
  send: icon(svg`<path d="M12 20V4M5 11l7-7 7 7" />`),
  stop: icon(svg`<rect x="6" y="6" width="12" height="12" rx="2" fill="currentColor" />`),
  close: icon(svg`<path d="M6 6l12 12M18 6 6 18" />`),
};
