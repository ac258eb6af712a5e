// The time that the tuner may take.

/**
 * Milliseconds that are left of a budget. The machine may sleep between two calls: once, a time longer than
 * the whole budget counts as nothing. Any other counts as half of the budget at most.
 */
export function countdown(budgetMs: number): () => number {
  let left = budgetMs;
  let last = performance.now();
  let slept = false;
  return () => {
    const now = performance.now();
    const passed = now - last;
    last = now;
    if (passed > budgetMs && !slept) slept = true;
    else left -= Math.min(passed, budgetMs / 2);
    return left;
  };
}
