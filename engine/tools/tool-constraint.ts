// Holds the calls of an answer to their format: free until a call begins, then control tokens and texts in
// turn. The text of each is a grammar.
import type { TokenConstraint } from "../scheduler/token-constraint.ts";
import { FormatConstraint } from "../structured/format-constraint.ts";
import type { Expression } from "../structured/grammar.ts";
import { literal, optional } from "../structured/grammar.ts";
import { Machine, type State } from "../structured/machine.ts";
import type { Vocabulary } from "../structured/token-bytes.ts";
import type { Tool } from "../types/tools.ts";
import { type CallGrammar, callsText, itemsText } from "./call-grammar.ts";
import type { Item, Wire } from "./wire.ts";

export interface Calling {
  readonly wire: Wire;
  readonly grammar: CallGrammar;
  /** The id of each call that an answer may have. */
  readonly ids: readonly string[];
  readonly vocabulary: Vocabulary;
  readonly endIds: ReadonlySet<number>;
  /** Logits of a step. */
  readonly V: number;
}

type Next = () => Step | undefined;

/** A text, and the tokens that may follow it and what comes then (nothing, if undefined); or only those. */
interface Step {
  readonly text: FormatConstraint | undefined;
  readonly follow: ReadonlyMap<number, Next | undefined>;
  /** Bytes of the text. */
  readonly bytes: number[];
}

export class ToolConstraint implements TokenConstraint {
  readonly #calling: Calling;
  readonly #steps: Steps;
  /** undefined: any token. */
  #step: Step | undefined;
  /** Text in which calls may begin; undefined once they cannot. */
  #free: string | undefined = "";
  #isFirst: boolean;
  #complete = false;

  /**
   * @param forced whether a call begins at once
   * @param continues whether the answer goes on with a text
   */
  constructor(calling: Calling, forced: boolean, continues = false) {
    this.#calling = calling;
    this.#isFirst = !continues;
    this.#steps = new Steps(calling);
    if (forced) this.#enter(this.#steps.first(!continues));
  }

  get complete(): boolean {
    return this.#complete;
  }

  mask(): Uint32Array<ArrayBuffer> {
    if (this.#step?.text) return this.#step.text.mask();
    const words = Math.ceil(this.#calling.V / 32);
    const mask = new Uint32Array(words);
    if (!this.#step) return mask.fill(0xffffffff);
    for (const id of this.#step.follow.keys()) mask[id >>> 5]! |= 1 << (id & 31);
    return mask;
  }

  forced(): readonly number[] {
    return this.#step?.text?.forced() ?? [];
  }

  accept(id: number): void {
    const step = this.#step;
    const { first, later } = this.#calling.vocabulary;
    const bytes = (this.#isFirst ? first : later).tokens[id] ?? [];
    this.#isFirst = false;
    if (!step) {
      this.#acceptFree(id, bytes);
    } else if (step.follow.has(id)) {
      this.#enter(step.follow.get(id)?.());
    } else {
      step.text!.accept(id);
      step.bytes.push(...bytes);
      this.#enter(step);
    }
  }

  #enter(step: Step | undefined): void {
    this.#step = step;
    const ends = !step || [...step.follow.values()].every((next) => next === undefined);
    this.#complete = !step || (ends && (step.text?.complete ?? true));
  }

  #acceptFree(id: number, bytes: Iterable<number>): void {
    const { wire } = this.#calling;
    const [opening] = [...wire.open, ...wire.call];
    if (opening?.kind === "control" && opening.id === id) {
      this.#enter(this.#steps.first(true).follow.get(id)?.());
      return;
    }
    const { trigger } = wire;
    if (!trigger || this.#free === undefined) return;
    this.#free += latin1(bytes);
    const begins = trigger.anywhere ? this.#free.indexOf(trigger.text) : this.#free.search(/\S|$/);
    const text = begins < 0 ? "" : this.#free.slice(begins);
    if (text.startsWith(trigger.text)) {
      const step = this.#steps.after(text);
      if (step) this.#enter(step);
      else this.#free = trigger.anywhere ? text.slice(1) : undefined;
    } else if (trigger.anywhere) {
      this.#free = this.#free.slice(-trigger.text.length);
    } else if (!trigger.text.startsWith(text)) {
      this.#free = undefined;
    }
  }
}

/** Makes the steps of calls. */
class Steps {
  readonly #calling: Calling;
  /** The ends of the answer. */
  readonly #ends: ReadonlyMap<number, undefined>;

  constructor(calling: Calling) {
    this.#calling = calling;
    this.#ends = new Map([...calling.endIds].map((id) => [id, undefined]));
  }

  /** @param isFirst whether nothing is before it in the answer */
  first(isFirst: boolean): Step {
    const { wire } = this.#calling;
    return this.#isListed ? this.#listed(wire.open, isFirst) : this.#items(wire.call, 0, undefined, isFirst);
  }

  /** After this text, which begins calls where no control token does. @returns undefined if it begins none */
  after(text: string): Step | undefined {
    const open = this.#calling.wire.open.filter(({ kind }) => kind !== "control");
    const [first] = open;
    const bare = first?.kind === "text" ? [{ ...first, text: first.text.trimStart() }] : open;
    const machine = this.#machine(callsText({ ...this.#calling.wire, open: bare }, ...this.#allowed));
    let state: State | null = machine.initial;
    for (let i = 0; i < text.length && state; i++) state = machine.transition(state, text.charCodeAt(i));
    return state ? this.#text(machine, this.#ends, false, state) : undefined;
  }

  /** Whether no control token comes after those that open the calls. */
  get #isListed(): boolean {
    return this.#calling.wire.call.every(({ kind }) => kind !== "control");
  }

  get #allowed(): readonly [CallGrammar, readonly string[]] {
    return [this.#calling.grammar, this.#calling.ids];
  }

  #listed(open: readonly Item[], isFirst: boolean): Step {
    const [control] = open;
    if (control?.kind === "control")
      return this.#control(control.id, () => this.#listed(open.slice(1), false));
    const text = callsText({ ...this.#calling.wire, open }, ...this.#allowed);
    return this.#text(this.#machine(text), this.#ends, isFirst);
  }

  /** The rest of a call, then its end. */
  #items(items: readonly Item[], call: number, tool: Tool | undefined, isFirst = false): Step {
    const { grammar, ids } = this.#calling;
    const [control] = items;
    if (control?.kind === "control") {
      return this.#control(control.id, () => this.#afterControl(items.slice(1), call, tool));
    }
    const end = items.findIndex(({ kind }) => kind === "control");
    const texts = items.slice(0, end < 0 ? undefined : end);
    const machine = this.#machine(itemsText(texts, grammar, ids[call]!, tool));
    const next = items[end];
    const names = texts.some(({ kind }) => kind === "name");
    if (next?.kind !== "control") return this.#text(machine, this.#followers(call), isFirst);
    const step: Step = this.#text(
      machine,
      new Map([
        [next.id, () => this.#afterControl(items.slice(end + 1), call, names ? named(step, grammar) : tool)],
      ]),
      isFirst,
    );
    return step;
  }

  #afterControl(rest: readonly Item[], call: number, tool: Tool | undefined): Step | undefined {
    return rest.length > 0 ? this.#items(rest, call, tool) : this.#between(call);
  }

  /** What may come after a whole call: an end, or the next one. */
  #followers(call: number): ReadonlyMap<number, Next | undefined> {
    const { wire, ids } = this.#calling;
    const [opening] = wire.call;
    if (opening?.kind !== "control" || call + 1 >= ids.length) return this.#ends;
    const items = wire.call.slice(1);
    return new Map<number, Next | undefined>([
      ...this.#ends,
      [opening.id, () => this.#items(items, call + 1, undefined)],
    ]);
  }

  /** After a call that ends with a control token. */
  #between(call: number): Step | undefined {
    const { wire, ids } = this.#calling;
    if (call + 1 >= ids.length) return undefined;
    return this.#text(this.#machine(optional(literal(wire.between))), this.#followers(call), false);
  }

  #control(id: number, next: Next): Step {
    return { text: undefined, follow: new Map([[id, next]]), bytes: [] };
  }

  #text(machine: Machine, follow: Step["follow"], isFirst: boolean, state?: State): Step {
    const endIds = new Set(follow.keys());
    const text = new FormatConstraint(machine, this.#calling.vocabulary, {
      ...{ endIds, continues: !isFirst },
      ...(state && { state }),
    });
    return { text, follow, bytes: [] };
  }

  #machine(start: Expression): Machine {
    return new Machine({ start, rules: this.#calling.grammar.rules });
  }
}

/** The tool whose name is the whole text of a step. */
function named({ bytes }: Step, { tools }: CallGrammar): Tool | undefined {
  const name = latin1(bytes).trimStart();
  return tools.find((each) => each.name === name);
}

function latin1(bytes: Iterable<number>): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
