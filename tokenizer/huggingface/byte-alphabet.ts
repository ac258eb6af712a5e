/** GPT-2's character for each byte: printable Latin-1 is itself; other bytes are U+0100 and on, in order. */
export const byteAlphabet: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(printable ? byte : next++);
  });
})();
