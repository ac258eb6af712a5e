// SHA-256 (FIPS 180-4) of bytes that arrive in pieces, with a state that can be saved and resumed.
//
// WebCrypto hashes whole buffers only. hash-wasm saves its state too and is 1.26 times as fast, but it has
// eight times the code, and a page's Content-Security-Policy would have to allow WebAssembly. A worker does
// the hashing (engine/hash-client.ts), so the rate is a limit only above 1 Gbit/s. Node has a SHA-256
// of its own.

const BLOCK = 64;

/** The first 32 fractional bits of a root: the standard defines its constants this way. */
const fraction = (root: number): number => (root % 1) * 2 ** 32;
const primes: number[] = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
const K = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));
const START = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

export class IncrementalSha256 {
  readonly #hash: Int32Array;
  /** The bytes of the last, incomplete block. */
  readonly #rest = new Uint8Array(BLOCK);
  #length: number;

  /** Resumes from `state`, which `state()` returned after `length` bytes. Default: no bytes yet. */
  constructor(state: readonly number[] = START, length = 0) {
    this.#hash = Int32Array.from(state.slice(0, 8));
    this.#rest.set(state.slice(8));
    this.#length = length;
  }

  /** Number of bytes hashed so far. */
  get length(): number {
    return this.#length;
  }

  update(bytes: Uint8Array): void {
    const filled = this.#length % BLOCK;
    this.#length += bytes.length;
    this.#rest.set(bytes.subarray(0, BLOCK - filled), filled);
    if (filled + bytes.length < BLOCK) return;
    compress(this.#hash, this.#rest, 0, BLOCK);
    const end = bytes.length - (this.#length % BLOCK);
    compress(this.#hash, bytes, BLOCK - filled, end);
    this.#rest.set(bytes.subarray(end));
  }

  /** What the constructor resumes from: the eight words of the hash, then the incomplete block's bytes. */
  state(): number[] {
    return [...this.#hash, ...this.#rest.subarray(0, this.#length % BLOCK)];
  }

  /** The digest of the bytes so far, in hex. More bytes may follow. */
  digest(): string {
    // The padding: a one bit, zeros, and the length in bits as the last 8 bytes of a block.
    const padding = new Uint8Array(BLOCK + 8 - ((this.#length + 8) % BLOCK));
    padding[0] = 0x80;
    new DataView(padding.buffer).setBigUint64(padding.length - 8, BigInt(this.#length) * 8n);
    const padded = new IncrementalSha256(this.state(), this.#length);
    padded.update(padding);
    return Array.from(padded.#hash, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

const SCHEDULE = new Int32Array(BLOCK);

/** Adds blocks [at, end) of `bytes` to the hash H. Names are the standard's; `| 0` keeps sums 32-bit. */
function compress(H: Int32Array, bytes: Uint8Array, at: number, end: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  // Local variables: reading module variables in the loop takes 1.5 times as long.
  const k = K;
  const w = SCHEDULE;
  for (; at < end; at += BLOCK) {
    for (let t = 0; t < 16; t++) w[t] = view.getInt32(at + 4 * t);
    for (let t = 16; t < 64; t++) {
      const x = w[t - 15]!;
      const y = w[t - 2]!;
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[t] = (((w[t - 16]! + s0) | 0) + ((w[t - 7]! + s1) | 0)) | 0;
    }
    let a = H[0]!;
    let b = H[1]!;
    let c = H[2]!;
    let d = H[3]!;
    let e = H[4]!;
    let f = H[5]!;
    let g = H[6]!;
    let h = H[7]!;
    for (let t = 0; t < 64; t++) {
      const S1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const S0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const ch = g ^ (e & (f ^ g));
      const maj = (a & b) ^ (c & (a ^ b));
      const T1 = (((h + S1) | 0) + ((ch + ((k[t]! + w[t]!) | 0)) | 0)) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + T1) | 0;
      d = c;
      c = b;
      b = a;
      a = (T1 + ((S0 + maj) | 0)) | 0;
    }
    H[0]! += a;
    H[1]! += b;
    H[2]! += c;
    H[3]! += d;
    H[4]! += e;
    H[5]! += f;
    H[6]! += g;
    H[7]! += h;
  }
}
