// A packed checkpoint that grows tensor by tensor, and is whole when its last record says so. Whatever moment it is cut
// off at, a tensor counts only by a record that was written after its bytes, and its bytes only by their SHA-256.
import type { ModelConfig } from "../config.ts";
import { isObject, type JsonObject } from "../json.ts";
import { type PackedFormat, packedMetadata, packedTensors } from "../packed.ts";
import { type HeaderToWrite, type Placed, writeHeader } from "../safetensors/writer.ts";
import type { FileState } from "./file-check.ts";
import { Journal } from "./journal.ts";
import type { RandomAccess } from "./random-access.ts";
import { sha256, sha256OfText } from "./sha256.ts";

/** Bytes that share a digest: what is on the host at once. A row may be larger. */
const PIECE_BYTES = 4 * 2 ** 20;

/** Rows [row, row + rows) of a packed tensor. */
export interface Piece {
  readonly row: number;
  readonly rows: number;
  readonly rowBytes: number;
}

const headerOf = (config: ModelConfig, weights: PackedFormat): HeaderToWrite =>
  writeHeader(packedTensors(config, weights), packedMetadata(weights));

/** Bytes of the whole file. */
export const packedBytes = (config: ModelConfig, weights: PackedFormat): number =>
  headerOf(config, weights).fileBytes;

/** A safetensors file and its journal, which names what it was made from. */
export class PackedFile {
  readonly #file: RandomAccess;
  readonly #journal: Journal;
  readonly #header: HeaderToWrite;
  readonly #tensors: ReadonlyMap<string, Placed>;
  /** Digests of the pieces of the tensors that are there. */
  readonly #stored = new Map<string, readonly string[]>();
  /** Of tensors that are there, or were: the state of their file's hash behind them. */
  readonly #states = new Map<string, FileState>();
  #committed = false;

  private constructor(file: RandomAccess, journal: RandomAccess, header: HeaderToWrite) {
    this.#file = file;
    this.#journal = new Journal(journal);
    this.#header = header;
    this.#tensors = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  }

  /** Goes on with what is there where it was made from `identity`; begins anew where it was not. */
  static async open(
    file: RandomAccess,
    journal: RandomAccess,
    { config, weights, identity }: { config: ModelConfig; weights: PackedFormat; identity: string },
  ): Promise<PackedFile> {
    const header = headerOf(config, weights);
    const packed = new PackedFile(file, journal, header);
    const head = {
      identity,
      header: await sha256(header.bytes),
      tensors: header.tensors.length,
      bytes: header.fileBytes,
    };
    await packed.#replay(head);
    return packed;
  }

  async #replay(head: JsonObject): Promise<void> {
    const [first, ...records] = this.#journal.records;
    // Its whole length at once: where there is no room, that is known before a tensor is fetched.
    if (this.#file.size() !== this.#header.fileBytes) this.#file.truncate(this.#header.fileBytes);
    if (!first || JSON.stringify(first) !== JSON.stringify(head)) {
      this.#journal.clear();
      this.#file.write(this.#header.bytes, 0);
      this.#file.flush();
      this.#journal.append(head);
      return;
    }
    for (const { tensor, sha256: digests, state, lost, wrong } of records) {
      if (typeof tensor === "string" && Array.isArray(digests)) this.#stored.set(tensor, digests);
      if (typeof tensor === "string" && Array.isArray(state)) this.#states.set(tensor, state);
      if (typeof lost === "string") this.#stored.delete(lost);
      if (typeof lost === "string" && wrong) this.#states.delete(lost);
    }
    const last = records.at(-1);
    this.#committed =
      this.#isWhole() && isObject(last?.["commit"]) && last["commit"]["sha256"] === (await this.#digest());
  }

  /** Every tensor was there when the last record was written. */
  get committed(): boolean {
    return this.#committed;
  }

  /** Bytes of the file that are still to come. */
  get missingBytes(): number {
    return this.#header.tensors.reduce(
      (sum, { name, start, end }) => sum + (this.#stored.has(name) ? 0 : end - start),
      0,
    );
  }

  has(name: string): boolean {
    return this.#stored.has(name);
  }

  /** The state that was stored with a tensor, which may have been damaged since. */
  state(name: string): FileState | undefined {
    return this.#states.get(name);
  }

  /**
   * Hands over a tensor piece by piece, each checked first. False where a piece is not what was stored: then the tensor is
   * forgotten, to be stored anew.
   */
  async read(
    name: string,
    use: (bytes: Uint8Array<ArrayBuffer>, piece: Piece) => Promise<void>,
  ): Promise<boolean> {
    const digests = this.#stored.get(name);
    for (const [i, piece] of this.#pieces(name).entries()) {
      const { start } = this.#placed(name);
      const bytes = this.#file.read(start + piece.row * piece.rowBytes, piece.rows * piece.rowBytes);
      if ((await sha256(bytes)) !== digests?.[i]) {
        this.#stored.delete(name);
        this.#committed = false;
        this.#journal.append({ lost: name });
        return false;
      }
      await use(bytes, piece);
    }
    return true;
  }

  /** Stores a tensor, with the state of its file's hash; its record comes after its bytes have settled. */
  async write(
    name: string,
    bytesOf: (piece: Piece) => Promise<Uint8Array<ArrayBuffer>>,
    state?: FileState,
  ): Promise<void> {
    const digests: string[] = [];
    for (const piece of this.#pieces(name)) {
      const bytes = await bytesOf(piece);
      this.#file.write(bytes, this.#placed(name).start + piece.row * piece.rowBytes);
      digests.push(await sha256(bytes));
    }
    this.#file.flush();
    const { start, end } = this.#placed(name);
    this.#journal.append({ tensor: name, bytes: end - start, sha256: digests, state });
    this.#stored.set(name, digests);
    if (state) this.#states.set(name, state);
  }

  /** What was stored of a tensor was wrong from the start. */
  forget(name: string): void {
    this.#journal.append({ lost: name, wrong: true });
    this.#stored.delete(name);
    this.#states.delete(name);
    this.#committed = false;
  }

  /** Says that the file is whole, where it is and has not been said. */
  async commit(): Promise<void> {
    if (this.#committed || !this.#isWhole()) return;
    this.#journal.append({ commit: { bytes: this.#header.fileBytes, sha256: await this.#digest() } });
    this.#committed = true;
  }

  close(): void {
    this.#file.close();
    this.#journal.close();
  }

  #placed(name: string): Placed {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new RangeError(`${name}: expected a tensor of the packed file, got none.`);
    return tensor;
  }

  #pieces(name: string): Piece[] {
    const { shape, start, end } = this.#placed(name);
    const total = shape.length > 1 ? (shape[0] ?? 0) : 1;
    const rowBytes = (end - start) / total;
    const step = Math.max(1, Math.floor(PIECE_BYTES / rowBytes));
    return Array.from({ length: Math.ceil(total / step) }, (_, i) => {
      const row = i * step;
      return { row, rows: Math.min(step, total - row), rowBytes };
    });
  }

  #isWhole(): boolean {
    return this.#header.tensors.every(({ name }) => this.#stored.has(name));
  }

  /** Of all tensors: the digest of their digests, in the file's order. */
  #digest(): Promise<string> {
    return sha256OfText(this.#header.tensors.flatMap(({ name }) => this.#stored.get(name) ?? []).join("\n"));
  }
}

/** What a journal says of its file, for a list of what is stored; undefined where it says nothing yet. */
export function describeJournal(
  records: readonly JsonObject[],
): { complete: boolean; bytes: number; totalBytes: number } | undefined {
  const [head, ...rest] = records;
  const { bytes: totalBytes, tensors } = head ?? {};
  if (typeof totalBytes !== "number") return undefined;
  const stored = new Map<unknown, number>();
  for (const { tensor, bytes, lost } of rest) {
    if (typeof bytes === "number") stored.set(tensor, bytes);
    stored.delete(lost);
  }
  const complete = stored.size === tensors && rest.at(-1)?.["commit"] !== undefined;
  const bytes = complete ? totalBytes : [...stored.values()].reduce((sum, size) => sum + size, 0);
  return { complete, bytes, totalBytes };
}
