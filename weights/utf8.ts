// Strict decoding of UTF-8: valid text, or an error that says where it is invalid.

/** The bytes are not valid UTF-8. `got` describes them, for a message. */
export class NotUtf8Error extends Error {
  override name = "NotUtf8Error";
  readonly got: string;
  /** Offset of the first invalid byte; undefined for UTF-16. */
  readonly offset: number | undefined;

  constructor(offset: number | undefined) {
    const got = offset === undefined ? "UTF-16" : `other bytes at offset ${offset}`;
    super(`expected UTF-8 text, got ${got}`);
    this.got = got;
    this.offset = offset;
  }
}

/**
 * Decodes UTF-8.
 * @param ignoreBOM keep U+FEFF in front. Default false: it is the mark that editors on Windows add to files
 * @throws NotUtf8Error
 */
export function decodeUtf8(bytes: Uint8Array, ignoreBOM = false): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM }).decode(bytes);
  } catch {
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    throw new NotUtf8Error(utf16 ? undefined : firstFault(bytes));
  }
}

/** Offset of the first invalid sequence. */
function firstFault(bytes: Uint8Array): number {
  // A lenient decoder replaces it by U+FFFD. Before it, decoding and encoding gives the same bytes.
  const lenient = new TextEncoder().encode(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  let at = 0;
  while (bytes[at] === lenient[at] && at < bytes.length) at++;
  // The first bytes of both may be equal: go back to the first byte of the replacement.
  while (((lenient[at] ?? 0) & 0xc0) === 0x80) at--;
  return at;
}
