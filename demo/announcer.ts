// Announces a growing answer to screen readers, sentence by sentence, in a region that only they read.

export class Announcer {
  #said = 0;
  #answer: string | undefined;
  readonly #region = document.createElement("div");

  constructor() {
    this.#region.className = "sr-only";
    this.#region.setAttribute("role", "log");
    this.#region.setAttribute("aria-live", "polite");
    this.#region.setAttribute("aria-label", "Announcements");
    document.body.append(this.#region);
  }

  say(text: string): void {
    const line = document.createElement("p");
    line.textContent = text;
    this.#region.append(line);
    // Old lines have been read. They should not pile up for someone who browses the page.
    while (this.#region.childElementCount > 4) this.#region.firstElementChild?.remove();
  }

  /** Announces what is new in the answer `id`. */
  follow(id: string, text: string, finished: boolean): void {
    if (id !== this.#answer) this.#said = 0;
    this.#answer = id;
    const end = finished ? text.length : lastSentenceEnd(text);
    if (end <= this.#said) return;
    this.say(text.slice(this.#said, end).trim());
    this.#said = end;
  }
}

function lastSentenceEnd(text: string): number {
  const ends = [...text.matchAll(/[.!?:]["')]*\s|\n/g)];
  const last = ends.at(-1);
  return last ? last.index + last[0].length : 0;
}
