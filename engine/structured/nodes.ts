// A grammar made ready to be read: names become references, and parts from which no text comes are left out.
// So whatever text was begun can be ended: there are no dead ends.

import type { CharacterSet } from "./character-set.ts";
import type { Expression, Grammar } from "./grammar.ts";
import { type Utf8Node, utf8Tree } from "./utf8-tree.ts";

export type Node = { readonly id: number /** Whether the empty text belongs to it. */; nullable: boolean } & (
  | { readonly kind: "set"; readonly set: CharacterSet; readonly bytes: Utf8Node }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "choice"; options: readonly Node[] }
  | { readonly kind: "repeat"; readonly part: Node; readonly least: number; readonly most: number }
);

/**
 * @returns the start; undefined if the grammar has no text
 * @throws SyntaxError for a name without a rule, and a rule that begins with itself
 */
export function nodesOf({ start, rules }: Grammar): Node | undefined {
  const productive = productiveOf(start, rules);
  if (!productive(start)) return undefined;
  const nodes = new Map<Expression, Node>();
  const sets = new Map<string, Utf8Node>();
  const bodies = new Map<string, Node & { kind: "choice" }>();
  const waiting: string[] = [];
  const nodeOf = (expression: Expression): Node => {
    if (expression.kind === "rule") {
      let body = bodies.get(expression.name);
      if (!body) {
        body = { id: bodies.size + nodes.size, nullable: false, kind: "choice", options: [] };
        bodies.set(expression.name, body);
        waiting.push(expression.name);
      }
      return body;
    }
    const known = nodes.get(expression);
    if (known) return known;
    const made = make(expression);
    const node: Node = { id: bodies.size + nodes.size, nullable: false, ...made };
    nodes.set(expression, node);
    return node;
  };
  type Made = Node extends infer Each ? (Each extends Node ? Omit<Each, "id" | "nullable"> : never) : never;
  const make = (expression: Exclude<Expression, { kind: "rule" }>): Made => {
    switch (expression.kind) {
      case "set": {
        const key = expression.set.join();
        const bytes = sets.get(key) ?? utf8Tree(expression.set);
        sets.set(key, bytes);
        return { kind: "set", set: expression.set, bytes };
      }
      case "sequence":
        return { kind: "sequence", parts: expression.parts.map(nodeOf) };
      case "choice":
        return { kind: "choice", options: expression.options.filter(productive).map(nodeOf) };
      case "repeat": {
        const { part, least, most } = expression;
        if (most === 0 || !productive(part)) return { kind: "sequence", parts: [] };
        return { kind: "repeat", part: nodeOf(part), least, most };
      }
    }
  };
  const first = nodeOf(start);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    bodies.get(name)!.options = [nodeOf(rules.get(name)!)];
  }
  markNullable([...nodes.values(), ...bodies.values()]);
  refuseLeftRecursion(bodies);
  return first;
}

/** Which expressions have a text at all. */
function productiveOf(
  start: Expression,
  rules: ReadonlyMap<string, Expression>,
): (expression: Expression) => boolean {
  const all = new Set<Expression>();
  const collect = (expression: Expression): void => {
    const left = [expression];
    for (let next = left.pop(); next; next = left.pop()) {
      if (all.has(next)) continue;
      all.add(next);
      if (next.kind === "rule" && !rules.has(next.name))
        throw new SyntaxError(`expected a rule "${next.name}", got none. Add it.`);
      if (next.kind === "rule") left.push(rules.get(next.name)!);
      else if (next.kind === "sequence") left.push(...next.parts);
      else if (next.kind === "choice") left.push(...next.options);
      else if (next.kind === "repeat") left.push(next.part);
    }
  };
  collect(start);
  const found = new Set<Expression>();
  const isFound = (each: Expression): boolean => {
    switch (each.kind) {
      case "set":
        return each.set.length > 0;
      case "sequence":
        return each.parts.every((part) => found.has(part));
      case "choice":
        return each.options.some((option) => found.has(option));
      case "repeat":
        return each.least === 0 || found.has(each.part);
      case "rule":
        return found.has(rules.get(each.name)!);
    }
  };
  const partsOf = (each: Expression): readonly Expression[] => {
    if (each.kind === "rule") return [rules.get(each.name)!];
    if (each.kind === "sequence") return each.parts;
    return each.kind === "choice" ? each.options : each.kind === "repeat" ? [each.part] : [];
  };
  // Parts were collected after what they are part of.
  spread([...all].reverse(), partsOf, isFound, found);
  return (expression) => found.has(expression);
}

function markNullable(nodes: readonly Node[]): void {
  const isNullable = (node: Node): boolean => {
    switch (node.kind) {
      case "set":
        return false;
      case "sequence":
        return node.parts.every(({ nullable }) => nullable);
      case "choice":
        return node.options.some(({ nullable }) => nullable);
      case "repeat":
        return node.least === 0 || node.part.nullable;
    }
  };
  const partsOf = (node: Node): readonly Node[] => {
    if (node.kind === "sequence") return node.parts;
    return node.kind === "choice" ? node.options : node.kind === "repeat" ? [node.part] : [];
  };
  spread(nodes, partsOf, isNullable, { has: (node) => node.nullable, add: (node) => (node.nullable = true) });
}

/** Marks all for which `holds`, and again those whose parts were marked: each link is gone along once. */
function spread<T>(
  all: readonly T[],
  partsOf: (each: T) => readonly T[],
  holds: (each: T) => boolean,
  marked: { has(each: T): boolean; add(each: T): unknown },
): void {
  const wholes = new Map<T, T[]>();
  for (const each of all)
    for (const part of partsOf(each)) {
      const known = wholes.get(part);
      if (known) known.push(each);
      else wholes.set(part, [each]);
    }
  for (const first of all) {
    const left = [first];
    for (let each = left.pop(); each !== undefined; each = left.pop()) {
      if (marked.has(each) || !holds(each)) continue;
      marked.add(each);
      for (const whole of wholes.get(each) ?? []) left.push(whole);
    }
  }
}

/** Its reader would go in circles without reading anything. */
function refuseLeftRecursion(bodies: ReadonlyMap<string, Node>): void {
  const names = new Map([...bodies].map(([name, body]) => [body, name]));
  const done = new Set<Node>();
  const open = new Set<Node>();
  const visit = (node: Node): void => {
    if (done.has(node)) return;
    if (open.has(node)) {
      const name = [...open]
        .slice([...open].indexOf(node))
        .map((each) => names.get(each))
        .find(Boolean);
      throw new SyntaxError(
        `expected rules that begin with a character, got "${name}", which begins with itself. Put the recursion at its end.`,
      );
    }
    open.add(node);
    for (const next of firstParts(node)) visit(next);
    open.delete(node);
    done.add(node);
  };
  for (const body of bodies.values()) visit(body);
}

/** The parts that a text of the node may begin with. */
function firstParts(node: Node): readonly Node[] {
  switch (node.kind) {
    case "set":
      return [];
    case "sequence": {
      const end = node.parts.findIndex(({ nullable }) => !nullable);
      return end < 0 ? node.parts : node.parts.slice(0, end + 1);
    }
    case "choice":
      return node.options;
    case "repeat":
      return [node.part];
  }
}
