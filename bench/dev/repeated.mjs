// Large tensors from a small block of random bytes.

/** @typedef {(bytes: number) => Generator<Uint8Array>} Filler the pieces of the next tensor */

/**
 * Each piece begins at another place of the block, so that neighbouring rows differ.
 * @param {Uint8Array} block
 * @param {number} unit bytes of a number, or of a block of numbers: pieces begin at multiples of it
 * @returns {Filler}
 */
export function filler(block, unit) {
  let turn = 0;
  return function* piecesOf(bytes) {
    for (let left = bytes; left > 0; turn++) {
      const start = (turn * unit * 7919) % block.length;
      const piece = block.subarray(start, start + Math.min(left, block.length - start));
      left -= piece.length;
      yield piece;
    }
  };
}
