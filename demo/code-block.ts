// A code block of an answer: its language, a button that copies it, and the code, which scrolls by itself.
import { CopyButton } from "./copy-button.ts";

/** Puts a frame with these around `pre`. */
export function frameCode(pre: HTMLPreElement): void {
  const block = document.createElement("div");
  const bar = document.createElement("div");
  const language = document.createElement("span");
  const copy = new CopyButton();
  block.className = "code";
  bar.className = "bar";
  language.textContent = /language-(\S+)/.exec(pre.firstElementChild?.className ?? "")?.[1] ?? "text";
  copy.label = "Copy code";
  copy.wide = true;
  copy.text = pre.textContent;
  bar.append(language, copy);
  pre.replaceWith(block);
  block.append(bar, pre);
}
