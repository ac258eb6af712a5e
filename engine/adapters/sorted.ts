// An adapter in the order of weights in act-order: gate_proj and up_proj are loaded with their rows in the
// order of down_proj's columns. A lazy chunk.
import type { Adapter, AdapterChange, AdapterMatrix, Quantised } from "../../weights/index.ts";

/** The adapter with rows of gate_proj and up_proj, and columns of down_proj, as the weights have them. */
export function sorted(adapter: Adapter, hiddenOrderOf: Quantised["hiddenOrderOf"]): Adapter {
  if (!hiddenOrderOf) return adapter;
  const inOrder = (change: AdapterChange): AdapterChange => {
    const { role, layer, matrix } = change;
    const order = layer === undefined ? undefined : hiddenOrderOf(layer);
    if (!matrix || !order) return change;
    if (role === "gateProj" || role === "upProj") return { ...change, matrix: sortRows(matrix, order) };
    return role === "downProj" ? { ...change, matrix: sortColumns(matrix, order) } : change;
  };
  const changes = new Map([...adapter.changes].map(([name, change]) => [name, inOrder(change)]));
  const matrix: Adapter["matrix"] = (role, layer) => {
    const found = [...changes.values()].find((each) => each.role === role && each.layer === layer);
    return found?.matrix;
  };
  return { ...adapter, changes, matrix };
}

function sortRows({ b, magnitude, ...rest }: AdapterMatrix, order: Uint32Array): AdapterMatrix {
  const { rank } = rest;
  return {
    ...rest,
    b: b.map((_, i) => b[order[Math.floor(i / rank)]! * rank + (i % rank)]!),
    ...(magnitude && { magnitude: magnitude.map((_, i) => magnitude[order[i]!]!) }),
  };
}

function sortColumns({ a, ...rest }: AdapterMatrix, order: Uint32Array): AdapterMatrix {
  const K = order.length;
  return { ...rest, a: a.map((_, i) => a[i - (i % K) + order[i % K]!]!) };
}
