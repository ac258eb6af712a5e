// Reads a grammar character by character. What is still to be read is a stack of frames: the rest of a
// sequence, or of a repetition, and what comes after it. All frames are interned, so that equal rests are one
// object: long repetitions cost nothing until they are met, and recursion goes as deep as the text does.
import type { Node } from "./nodes.ts";

/** Parts that are entered and left between two characters, at most: parts that may be empty multiply. */
const MAX_STEPS = 100_000;

/** What is left to read after a part: the end, if undefined. */
export interface Frame {
  readonly id: number;
  readonly node: Node & { kind: "sequence" | "repeat" };
  /** The next part of a sequence; how often a part is still to be repeated, at least. */
  readonly next: number;
  /** How often a part may still be repeated. */
  readonly most: number;
  readonly below: Frame | undefined;
}

/** A set of characters that may come next, and what comes after. */
export interface Place {
  readonly node: Node & { kind: "set" };
  readonly after: Frame | undefined;
}

export interface Places {
  readonly places: readonly Place[];
  /** Whether the text may end here. */
  readonly isEnd: boolean;
}

/** One number for a node, or a byte's place, and what comes after it. Both are counted from 0. */
export const pairKey = (id: number, after: Frame | undefined): number => id * 2 ** 32 + (after?.id ?? 0);

export class Reader {
  #frames = new Map<string, Frame>();
  #lastId = 0;

  get size(): number {
    return this.#frames.size;
  }

  /** Frames that are still held by somebody stay what they are: only later ones no longer equal them. */
  forget(): void {
    this.#frames.clear();
  }

  start(node: Node): Places {
    return this.#walk((walk) => walk.enter(node, undefined));
  }

  /** Where a text goes on that has come to the end of a part, with these rests. */
  after(frames: Iterable<Frame | undefined>): Places {
    return this.#walk((walk) => {
      for (const frame of frames) walk.leave(frame);
    });
  }

  frame(node: Frame["node"], next: number, most: number, below: Frame | undefined): Frame {
    const key = `${node.id} ${next} ${most} ${below?.id ?? 0}`;
    let frame = this.#frames.get(key);
    if (!frame) {
      frame = { id: ++this.#lastId, node, next, most, below };
      this.#frames.set(key, frame);
    }
    return frame;
  }

  #walk(begin: (walk: Walk) => void): Places {
    const walk = new Walk(this);
    begin(walk);
    return walk.run();
  }
}

/** One walk to all characters that may come next. It has a list of what to visit: texts nest deeply. */
class Walk {
  readonly places = new Map<number, Place>();
  isEnd = false;
  readonly #reader: Reader;
  readonly #left: (() => void)[] = [];
  readonly #entered = new Set<number>();
  readonly #visited = new Set<Frame>();
  /** Repetitions that were begun in this walk: to come back to one is to have read nothing. */
  readonly #begun = new Set<Frame>();

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  run(): Places {
    let steps = 0;
    for (let next = this.#left.pop(); next; next = this.#left.pop()) {
      if (++steps > MAX_STEPS)
        throw new RangeError(
          "format: expected a text that goes on in fewer ways, got too many. Make it less ambiguous.",
        );
      next();
    }
    return { places: [...this.places.values()], isEnd: this.isEnd };
  }

  enter(node: Node, below: Frame | undefined): void {
    this.#left.push(() => this.#enter(node, below));
  }

  leave(frame: Frame | undefined): void {
    if (!frame) this.isEnd = true;
    else this.#left.push(() => this.#leave(frame));
  }

  #enter(node: Node, below: Frame | undefined): void {
    const key = pairKey(node.id, below);
    if (this.#entered.has(key)) return;
    this.#entered.add(key);
    switch (node.kind) {
      case "set":
        this.places.set(key, { node, after: below });
        return;
      case "sequence":
        this.#part(node, 0, below);
        return;
      case "choice":
        for (const option of node.options) this.enter(option, below);
        return;
      case "repeat":
        this.#repeat(node, node.part.nullable ? 0 : node.least, node.most, below);
    }
  }

  #leave(frame: Frame): void {
    if (this.#visited.has(frame)) return;
    this.#visited.add(frame);
    const { node, next, most, below } = frame;
    if (node.kind === "sequence") this.#part(node, next, below);
    // A part that was empty counts as none: its repetition has offered already what it would offer now.
    else if (!this.#begun.has(frame)) this.#repeat(node, next, most, below);
  }

  #part(node: Node & { kind: "sequence" }, next: number, below: Frame | undefined): void {
    const part = node.parts[next];
    if (!part) {
      this.leave(below);
      return;
    }
    const isLast = next + 1 === node.parts.length;
    this.enter(part, isLast ? below : this.#reader.frame(node, next + 1, 0, below));
  }

  #repeat(node: Node & { kind: "repeat" }, least: number, most: number, below: Frame | undefined): void {
    if (least === 0) this.leave(below);
    if (most === 0) return;
    const rest = most === 1 ? below : this.#reader.frame(node, Math.max(0, least - 1), most - 1, below);
    if (rest && rest !== below && least === 0) this.#begun.add(rest);
    this.enter(node.part, rest);
  }
}
