/** xorshift32 (Marsaglia 2003): the same numbers every time. */
export function randomU32(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
