// Holds a machine over bytes to UTF-8 (RFC 3629, section 4): tokens of single bytes could spell anything else.
import type { Machine } from "./machine.ts";

/** Bytes still to come, and which the next may be: `[from, to, then]`. State 0 is between two characters. */
const CONTINUATIONS: readonly (readonly [number, number, number])[] = [
  [0, 0, 0],
  [0x80, 0xbf, 0],
  [0x80, 0xbf, 1],
  [0x80, 0xbf, 2],
  [0xa0, 0xbf, 1], // after E0: no longer form of fewer bytes
  [0x80, 0x9f, 1], // after ED: no surrogate
  [0x90, 0xbf, 2], // after F0
  [0x80, 0x8f, 2], // after F4: at most U+10FFFF
];
const DEAD = -1;

function after(state: number, byte: number): number {
  if (state > 0) {
    const [from, to, then] = CONTINUATIONS[state]!;
    return byte >= from && byte <= to ? then : DEAD;
  }
  if (byte < 0x80) return 0;
  if (byte < 0xc2 || byte > 0xf4) return DEAD;
  if (byte < 0xe0) return 1;
  if (byte < 0xf0) return byte === 0xe0 ? 4 : byte === 0xed ? 5 : 2;
  return byte === 0xf0 ? 6 : byte === 0xf4 ? 7 : 3;
}

interface State<Inner> {
  readonly inner: Inner;
  readonly utf8: number;
}

export function utf8Machine<Inner>(machine: Machine<Inner>): Machine<State<Inner>> {
  const dead: State<Inner> = { inner: machine.initial, utf8: DEAD };
  return {
    initial: { inner: machine.initial, utf8: 0 },
    transition(state, byte) {
      const utf8 = after(state.utf8, byte);
      if (utf8 === DEAD) return dead;
      const inner = machine.transition(state.inner, byte);
      return inner === state.inner && utf8 === state.utf8 ? state : { inner, utf8 };
    },
    viable: ({ inner, utf8 }) => utf8 !== DEAD && machine.viable(inner),
    accepting: ({ inner, utf8 }) => utf8 === 0 && machine.accepting(inner),
    stringCapacity: ({ inner, utf8 }) => (utf8 === 0 ? machine.stringCapacity?.(inner) : undefined),
    maskKey({ inner, utf8 }) {
      const key = machine.maskKey?.(inner);
      return key === undefined ? undefined : `${utf8} ${key}`;
    },
  };
}
