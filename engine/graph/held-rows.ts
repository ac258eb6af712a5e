// The host's record of the rows that the decoder holds: the last prefilled token, and the rows of the next
// step. A caller that asks for a token names the row before it. So no token is picked from another sequence's
// logits.

export interface RowPlace {
  /** Number of a ring. */
  readonly ring: number;
  readonly position: number;
}

export class HeldRows {
  #rows: readonly RowPlace[] = [];
  /** The last token of a prefill, until a token is picked after it or its logits are read. */
  #prefilled: RowPlace | undefined;

  get rows(): readonly RowPlace[] {
    return this.#rows;
  }

  /** Replaces the rows from `first` on. */
  set(rows: readonly RowPlace[], first = 0): void {
    const set = rows.map(({ ring, position }) => ({ ring, position }));
    this.#rows = [...this.#rows.slice(0, first), ...set];
    this.#prefilled = undefined;
  }

  /** Records a prefill: the residual stream of its last token is in the first row. */
  prefill(row: RowPlace): void {
    this.set([row]);
    this.#prefilled = row;
  }

  /** Records that another conversation begins in this ring. */
  begin(ring: number): void {
    if (this.#prefilled?.ring === ring) this.#prefilled = undefined;
  }

  /** Uses up the last prefilled token. @throws if it is not the token at this place */
  takePrefilled({ ring, position }: RowPlace): void {
    const held = this.#prefilled;
    this.#prefilled = undefined;
    if (!held || !isSame(held, { ring, position })) throw wrong([{ ring, position }], held ? [held] : []);
    this.#rows = [next(held)];
  }

  /** Advances the rows by a step. @throws if the step would run other rows */
  takeStep(rows: readonly RowPlace[]): void {
    const held = this.#rows;
    const isHeld = rows.length === held.length && rows.every((row, i) => isSame(row, held[i]!));
    if (rows.length === 0 || !isHeld) throw wrong(rows, held);
    this.set(rows.map(next));
  }
}

const next = ({ ring, position }: RowPlace): RowPlace => ({ ring, position: position + 1 });

const isSame = (a: RowPlace, b: RowPlace): boolean => a.ring === b.ring && a.position === b.position;

const wrong = (asked: readonly RowPlace[], held: readonly RowPlace[]): Error =>
  new Error(`decoder: expected the rows ${list(asked)}, got ${list(held)}. This is a bug in the engine.`);

const list = (rows: readonly RowPlace[]): string =>
  rows.map(({ ring, position }) => `${ring}:${position}`).join(" ") || "none";
