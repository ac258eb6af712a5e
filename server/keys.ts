// API keys: bearer tokens, compared in constant time.
import { createHash, timingSafeEqual } from "node:crypto";

export class Keys {
  /** SHA-256: all have the same length, and no key stays in memory. */
  readonly #digests: readonly Buffer[];

  /** Without keys everyone may call. */
  constructor(keys: readonly string[] = []) {
    this.#digests = keys.map(digest);
  }

  /** Whether calls need a key. */
  get needed(): boolean {
    return this.#digests.length > 0;
  }

  /** @param authorization the header's value, "Bearer …" */
  admits(authorization: string | undefined): boolean {
    if (!this.needed) return true;
    const [, token = ""] = /^Bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
    const given = digest(token);
    // Compares with every key, so the time reveals nothing.
    let fits = 0;
    for (const each of this.#digests) fits |= Number(timingSafeEqual(each, given));
    return fits === 1;
  }
}

const digest = (key: string): Buffer => createHash("sha256").update(key).digest();
