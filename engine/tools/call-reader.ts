// Reads the calls of tools in an answer as it arrives, and leaves its other text.
import { overlap } from "../answer/stop-strings.ts";
import type { ToolCallDelta } from "../types/tools.ts";
import { ArgumentsEnd } from "./arguments-end.ts";
import type { Item, Wire } from "./wire.ts";

export interface CallPiece {
  /** Text of the answer that belongs to no call. */
  readonly text: string;
  readonly toolCalls: readonly ToolCallDelta[];
}

/** A call that is being read. */
interface Open {
  readonly index: number;
  name: string;
  /** The items that are left, the first of them begun. */
  items: readonly Item[];
  /** Characters of the first item, if it is a text, that were read. */
  read: number;
  readonly args: ArgumentsEnd;
}

export class CallReader {
  readonly #wire: Wire;
  readonly #ids: readonly string[];
  readonly #names: ReadonlySet<string>;
  readonly #controls: ReadonlyMap<number, string>;
  /** undefined: free text. `between`: after a call. */
  #call: Open | "between" | undefined;
  #count = 0;
  /** Free text that may begin a call. */
  #held = "";
  /** Text of a call that may turn out to be none. */
  #doubtful: string | undefined;
  /** Whether a call may begin with a text. */
  #looks: boolean;

  /** @param forced whether the answer begins with a call */
  constructor(wire: Wire, ids: readonly string[], names: readonly string[], forced: boolean) {
    this.#wire = wire;
    this.#ids = ids;
    this.#names = new Set(names);
    const items = [...wire.open, ...wire.call];
    this.#controls = new Map(items.flatMap((item) => (item.kind === "control" ? [[item.id, item.tag]] : [])));
    this.#looks = wire.trigger !== undefined;
    if (forced) this.#begin(items);
  }

  /** Whether there is a call in the answer. */
  get called(): boolean {
    return this.#count > 0;
  }

  /**
   * @param id the token, or undefined for text at the end of the answer
   * @param last whether nothing follows: then nothing is held back
   */
  push(id: number | undefined, added: string, last: boolean): CallPiece {
    const tag = id === undefined ? undefined : this.#controls.get(id);
    const toolCalls: ToolCallDelta[] = [];
    let text: string;
    if (tag === undefined) {
      text = this.#read(added, toolCalls);
    } else {
      // The token has no text if it is a special one.
      text = this.#read(added.endsWith(tag) ? added.slice(0, -tag.length) : added, toolCalls);
      text += this.#control(id as number, toolCalls);
    }
    if (last) {
      text += this.#held + (this.#doubtful ?? "");
      this.#held = "";
      this.#doubtful = undefined;
    }
    return { text, toolCalls };
  }

  #begin(items: readonly Item[]): void {
    this.#call = { index: this.#count, name: "", items, read: 0, args: new ArgumentsEnd() };
  }

  /** @returns text that was held, and does not belong to a call */
  #control(id: number, calls: ToolCallDelta[]): string {
    const { open, call } = this.#wire;
    if (typeof this.#call === "object") {
      const at = this.#call.items.findIndex((item) => item.kind === "control" && item.id === id);
      if (at >= 0) this.#advance(this.#call, at + 1, calls);
      return "";
    }
    const items = this.#call ? call : [...open, ...call];
    if (items[0]?.kind !== "control" || items[0].id !== id) return "";
    const held = this.#held;
    this.#held = "";
    this.#begin(items.slice(1));
    return held;
  }

  /** @returns the text that belongs to no call */
  #read(added: string, calls: ToolCallDelta[]): string {
    if (added === "") return "";
    if (!this.#call) return this.#readFree(added, calls);
    let rest = added;
    while (rest !== "") {
      if (this.#call === "between") {
        // The white space before the next call, or the end of all.
        const { between, call } = this.#wire;
        const isList = call[0]?.kind !== "control";
        if (!isList || !between.startsWith(rest[0]!)) return "";
        this.#begin([{ kind: "text", text: between }, ...call]);
      }
      if (typeof this.#call !== "object") return "";
      const taken = this.#take(this.#call, rest, calls);
      if (taken < 0) {
        const text = (this.#doubtful ?? "") + rest;
        this.#doubtful = undefined;
        this.#call = undefined;
        return text;
      }
      if (this.#doubtful !== undefined) this.#doubtful += rest.slice(0, taken);
      rest = rest.slice(taken);
    }
    return "";
  }

  /** @returns how much of the text the call's next item takes; −1 if it is no call */
  #take(call: Open, text: string, calls: ToolCallDelta[]): number {
    const [item, next] = call.items;
    switch (item?.kind) {
      case "text": {
        let taken = 0;
        for (; taken < text.length && call.read < item.text.length; taken++, call.read++)
          if (text[taken] !== item.text[call.read]) return this.#doubtful === undefined ? text.length : -1;
        if (call.read === item.text.length) this.#advance(call, 1, calls);
        return taken;
      }
      case "name":
      case "id": {
        const end = next?.kind === "text" ? text.indexOf(next.text[0]!) : -1;
        const taken = end < 0 ? text.length : end;
        if (item.kind === "name") call.name += text.slice(0, taken);
        if (end < 0) return taken;
        if (item.kind === "name" && !this.#names.has(call.name) && this.#doubtful !== undefined) return -1;
        this.#advance(call, 1, calls);
        return taken;
      }
      case "arguments": {
        const taken = call.args.push(text);
        if (taken > 0) calls.push(this.#delta(call, text.slice(0, taken)));
        if (call.args.ended) this.#advance(call, 1, calls);
        return taken;
      }
      default:
        return text.length;
    }
  }

  #advance(call: Open, items: number, calls: ToolCallDelta[]): void {
    call.items = call.items.slice(items);
    call.read = 0;
    if (call.items[0]?.kind === "arguments") {
      this.#doubtful = undefined;
      this.#count++;
      calls.push(this.#delta(call, ""));
    }
    if (call.items.length === 0) this.#call = "between";
  }

  #delta({ index, name }: Open, text: string): ToolCallDelta {
    return { index, id: this.#ids[index] ?? "", name: name.trim(), arguments: text };
  }

  #readFree(added: string, calls: ToolCallDelta[]): string {
    const { trigger, open, call } = this.#wire;
    if (!trigger || !this.#looks) return added;
    const all = this.#held + added;
    const at = trigger.anywhere ? all.indexOf(trigger.text) : all.search(/\S|$/);
    const shown = at < 0 ? "" : all.slice(at);
    if (shown.startsWith(trigger.text)) {
      this.#held = "";
      const items = [...open, ...call].filter((item, i) => i > 0 || item.kind !== "control");
      const [first] = items;
      this.#begin(
        first?.kind === "text" ? [{ ...first, text: first.text.trimStart() }, ...items.slice(1)] : items,
      );
      this.#doubtful = "";
      const text = this.#read(shown, calls);
      if (this.#call === undefined && !trigger.anywhere) this.#looks = false;
      return all.slice(0, at) + text;
    }
    if (trigger.anywhere) {
      const keep = overlap(all, trigger.text);
      this.#held = all.slice(all.length - keep);
      return all.slice(0, all.length - keep);
    }
    this.#looks = trigger.text.startsWith(shown);
    this.#held = this.#looks ? all : "";
    return this.#looks ? "" : all;
  }
}
