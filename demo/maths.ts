// Maths as MathML, which needs neither fonts nor styles of its own. Fetched when an answer first has maths.
import DOMPurify from "dompurify";
import katex from "katex";

/** In characters. */
const MOST = 5_000;

const ATTRIBUTES = (
  "display mathvariant stretchy fence separator lspace rspace minsize maxsize accent accentunder linethickness " +
  "scriptlevel displaystyle mathcolor mathbackground width height depth voffset columnalign columnspacing notation"
).split(" ");
/** KaTeX's colour of commands that it does not allow. */
const REFUSED = "#bad000";
/** What KaTeX makes, and nothing that could hold a link, HTML or a style. */
const ALLOWED = {
  ALLOWED_TAGS: [
    ..."math mrow mi mn mo mtext ms mspace mfrac msqrt mroot msub msup msubsup munder mover".split(" "),
    ..."munderover mmultiscripts mtable mtr mlabeledtr mtd mstyle mpadded mphantom menclose #text".split(" "),
  ],
  ALLOWED_ATTR: ATTRIBUTES,
  ADD_URI_SAFE_ATTR: ATTRIBUTES,
  FORBID_CONTENTS: ["annotation"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true as const,
};

/** Replaces the source in `code` by its maths. What KaTeX cannot read stays as written. */
export function showMaths(code: HTMLElement): void {
  const source = code.textContent;
  const delimiter = /^\$(?!\$)/.test(source) ? 1 : 2;
  const displayMode = code.classList.contains("display");
  if (source.length > MOST) return;
  let markup: string;
  try {
    markup = katex.renderToString(source.slice(delimiter, -delimiter), {
      ...{ displayMode, output: "mathml", throwOnError: true, strict: "ignore" },
      // A model's text: no links, classes or files, no endless macros, nothing larger than the page.
      ...{ trust: false, errorColor: REFUSED, maxExpand: 200, maxSize: 20 },
    });
  } catch (error) {
    code.title = error instanceof Error ? error.message : "";
    return;
  }
  if (markup.includes(`mathcolor="${REFUSED}"`)) return;
  const maths = document.createElement("span");
  maths.className = code.className;
  maths.append(DOMPurify.sanitize(markup, ALLOWED));
  if (displayMode) maths.tabIndex = 0;
  for (const element of maths.querySelectorAll("[mathvariant]")) applyVariant(element);
  for (const table of maths.querySelectorAll("mtable")) alignColumns(table);
  code.replaceWith(maths);
}

/**
 * Browsers read no `mathvariant` but "normal".
 * @see https://www.w3.org/TR/mathml-core/#the-mathvariant-attribute
 */
function applyVariant(element: Element): void {
  const variant = element.getAttribute("mathvariant") ?? "";
  const letters = LETTERS[variant];
  if (variant === "normal" || variant === "italic") return;
  element.setAttribute("mathvariant", "normal");
  if (letters)
    element.textContent = [...element.textContent].map((each) => inAlphabet(each, letters)).join("");
  else element.setAttribute("class", variant);
}

/** Where Unicode has the letter A of an alphabet, and the letters that are elsewhere. */
interface Alphabet {
  readonly start: number;
  readonly elsewhere: Readonly<Record<string, string>>;
}
const LETTERS: Readonly<Record<string, Alphabet>> = {
  "double-struck": {
    start: 0x1d538,
    elsewhere: { C: "ℂ", H: "ℍ", N: "ℕ", P: "ℙ", Q: "ℚ", R: "ℝ", Z: "ℤ" },
  },
  script: {
    start: 0x1d49c,
    elsewhere: {
      ...{ B: "ℬ", E: "ℰ", F: "ℱ", H: "ℋ", I: "ℐ", L: "ℒ", M: "ℳ", R: "ℛ", e: "ℯ", g: "ℊ", o: "ℴ" },
    },
  },
  fraktur: { start: 0x1d504, elsewhere: { C: "ℭ", H: "ℌ", I: "ℑ", R: "ℜ", Z: "ℨ" } },
};

function inAlphabet(letter: string, { start, elsewhere }: Alphabet): string {
  if (!/^[A-Za-z]$/.test(letter)) return letter;
  const index = letter.charCodeAt(0) - (letter <= "Z" ? 65 : 97 - 26);
  return elsewhere[letter] ?? String.fromCodePoint(start + index);
}

/** Browsers read no `columnalign`: the style sheet aligns these classes. */
function alignColumns(table: Element): void {
  const columns = table.getAttribute("columnalign")?.split(" ") ?? [];
  const tight = table.getAttribute("columnspacing")?.startsWith("0em") ? " tight" : "";
  for (const row of table.children)
    [...row.children].forEach((cell, i) => {
      cell.setAttribute("class", `${columns[i] ?? columns.at(-1) ?? "center"}${tight}`);
    });
}
