// Assertions that run anywhere: in Node, in a page, in Deno.

/** @throws Error unless actual < bound */
export function less(what: string, actual: number, bound: number): void {
  if (!(actual < bound)) throw new Error(`${what}: expected less than ${bound}, got ${actual}`);
}

/** @throws Error if they differ */
export function equal<T extends string | number | readonly number[]>(
  what: string,
  actual: T,
  expected: T,
): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`);
}
