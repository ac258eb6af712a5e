// Strict UTF-8: valid text is decoded without its byte order mark; for other bytes the error has the offset.
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeUtf8, NotUtf8Error } from "../../weights/utf8.ts";

test.each<[bytes: number[], offset: number]>([
  [[0x80], 0],
  [[0x61, 0xc3, 0x28], 1],
  [[0x61, 0xc3], 1],
  [[0xef, 0xbf, 0x28], 0],
  [[0xe2, 0x82, 0xac, 0xed, 0xa0, 0x80], 3],
  [[0xef, 0xbf, 0xbd, 0xff], 3],
  [[0xef, 0xbb, 0xbf, 0x61, 0xc0, 0x80], 4],
])("%j is refused at %i", (bytes, offset) => {
  expect(() => decodeUtf8(Uint8Array.from(bytes))).toThrow(NotUtf8Error);
  expect(() => decodeUtf8(Uint8Array.from(bytes))).toThrow(`got other bytes at offset ${offset}`);
});

test("any text is decoded; the offset of a wrong byte after it is found", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const bytes = new TextEncoder().encode(text);
      const plain = text.startsWith("\ufeff") ? text.slice(1) : text;
      expect(decodeUtf8(bytes)).toBe(plain);
      expect(decodeUtf8(new Uint8Array([0xef, 0xbb, 0xbf, ...bytes]))).toBe(text);
      if ((bytes[0] === 0xff || bytes[0] === 0xfe) && bytes.length > 1) return;
      expect(() => decodeUtf8(new Uint8Array([...bytes, 0xff, 0x61]))).toThrow(`offset ${bytes.length}`);
    }),
    { numRuns: 300 },
  );
});
