// Bytes of files and pipes as text: valid UTF-8, or an error that says where it is not.

/** The bytes are no UTF-8. `got` says what they are, for a message. */
export class NotUtf8Error extends Error {
  override name = "NotUtf8Error";
  readonly got: string;
  /** Where the first fault is; undefined for UTF-16, which is another text throughout. */
  readonly offset: number | undefined;

  constructor(offset: number | undefined) {
    const got = offset === undefined ? "UTF-16" : `other bytes at offset ${offset}`;
    super(`expected UTF-8 text, got ${got}`);
    this.got = got;
    this.offset = offset;
  }
}

/** Editors on Windows begin a file with a byte order mark: it is no part of the text. @throws NotUtf8Error */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    throw new NotUtf8Error(utf16 ? undefined : firstFault(bytes));
  }
}

/** Where the first sequence begins that is no character. */
function firstFault(bytes: Uint8Array): number {
  // A lenient decoder puts U+FFFD in its place: up to there both are the same bytes.
  const lenient = new TextEncoder().encode(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  let at = 0;
  while (bytes[at] === lenient[at] && at < bytes.length) at++;
  // Both may begin with the same byte; the replacement begins at its first.
  while (((lenient[at] ?? 0) & 0xc0) === 0x80) at--;
  return at;
}
