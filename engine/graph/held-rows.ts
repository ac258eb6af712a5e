// What the host knows of the rows that the decoder holds: whose last token was prefilled, and which rows run in the next step.
// Who asks for a token says what it is to follow, so none is picked from what another ring, or nobody, computed.

export interface RowPlace {
  /** A ring. */
  readonly ring: number;
  readonly position: number;
}

export class HeldRows {
  #rows: readonly RowPlace[] = [];
  /** The last token of a prefill, until a token is picked or logits are read. */
  #prefilled: RowPlace | undefined;

  get rows(): readonly RowPlace[] {
    return this.#rows;
  }

  /** Other rows take the places of those before. */
  set(rows: readonly RowPlace[]): void {
    this.#rows = rows.map(({ ring, position }) => ({ ring, position }));
    this.#prefilled = undefined;
  }

  /** The last token's residual stream is in the first row. */
  prefill(row: RowPlace): void {
    this.set([row]);
    this.#prefilled = row;
  }

  /** Another conversation begins in this ring. */
  begin(ring: number): void {
    if (this.#prefilled?.ring === ring) this.#prefilled = undefined;
  }

  /** @throws where the token at this place was not the last that was computed; each serves once */
  takePrefilled({ ring, position }: RowPlace): void {
    const held = this.#prefilled;
    this.#prefilled = undefined;
    if (!held || !isSame(held, { ring, position })) throw wrong([{ ring, position }], held ? [held] : []);
    this.#rows = [next(held)];
  }

  /** @throws where the step would run other rows */
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
  rows.map(({ ring, position }) => `${ring}:${position}`).join(" ") || "of nobody";
