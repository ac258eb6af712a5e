// The part of Protocol Buffers' wire format that an ONNX file needs. A field is a list of buffers: weights
// are not copied.

/** @typedef {Buffer[]} Field */

/** @param {number} number @param {number | bigint} value @returns {Field} */
export const integer = (number, value) => [varint(number << 3), varint(value)];

/** @param {number} number @param {number} value @returns {Field} */
export function float(number, value) {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return [varint((number << 3) | 5), bytes];
}

/** A message, or bytes. @param {number} number @param {Buffer[]} parts @returns {Field} */
export const message = (number, parts) => {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [varint((number << 3) | 2), varint(length), ...parts];
};

/** @param {number} number @param {string} text */
export const string = (number, text) => message(number, [Buffer.from(text)]);

/** Seven bits to a byte, the lowest first; negative numbers as 64 bits. */
function varint(/** @type {number | bigint} */ value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}
