// A packed checkpoint that is written tensor by tensor, and complete when its last record says so. It
// survives a crash at any time: a tensor's record is written after its bytes, and reading checks the bytes by
// SHA-256.
import type { WeightFormatName } from "../../kernels/formats/table.ts";
import type { FormatOf } from "../checkpoint.ts";
import type { ModelConfig } from "../config.ts";
import { isObject, type JsonObject } from "../json.ts";
import { packedMetadata, packedTensors } from "../safetensors/packed.ts";
import { type HeaderToWrite, type Placed, writeHeader } from "../safetensors/writer.ts";
import type { FileState } from "./file-hash.ts";
import { Journal } from "./journal.ts";
import type { RandomAccess } from "./random-access.ts";
import { sha256, sha256OfText } from "./sha256.ts";

/** Bytes of a piece: the unit that is in host memory and has a digest of its own. A row may be larger. */
const PIECE_BYTES = 4 * 2 ** 20;

/** Rows [row, row + rows) of a packed tensor. */
export interface PackedPiece {
  readonly row: number;
  readonly rows: number;
  readonly rowBytes: number;
}

/** What is packed. */
export interface PackedContents {
  readonly config: ModelConfig;
  readonly weights: WeightFormatName;
  readonly formatOf: FormatOf;
}

const headerOf = ({ config, weights, formatOf }: PackedContents): HeaderToWrite =>
  writeHeader(packedTensors(config, formatOf), packedMetadata(weights));

/** Size of the whole packed file in bytes. */
export const packedBytes = (contents: PackedContents): number => headerOf(contents).fileBytes;

/** A safetensors file and its journal, whose first record identifies the original checkpoint. */
export class PackedFile {
  readonly #file: RandomAccess;
  readonly #journal: Journal;
  readonly #header: HeaderToWrite;
  readonly #tensors: ReadonlyMap<string, Placed>;
  /** For each stored tensor, the digests of its pieces. */
  readonly #stored = new Map<string, readonly string[]>();
  /** For each tensor that is or was stored, the state of its file's hash at its end. */
  readonly #states = new Map<string, FileState>();
  #committed = false;

  private constructor(file: RandomAccess, journal: RandomAccess, header: HeaderToWrite) {
    this.#file = file;
    this.#journal = new Journal(journal);
    this.#header = header;
    this.#tensors = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  }

  /** Continues the file if it was made from `identity`, else starts over. */
  static async open(
    file: RandomAccess,
    journal: RandomAccess,
    { identity, ...contents }: PackedContents & { identity: string },
  ): Promise<PackedFile> {
    const header = headerOf(contents);
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
    // Allocate the whole length at once, so that a full disk is noticed before any tensor is fetched.
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

  /** Whether every tensor was stored when the last record was written. */
  get committed(): boolean {
    return this.#committed;
  }

  /** Bytes of the tensors that are not stored yet. */
  get missingBytes(): number {
    return this.#header.tensors.reduce(
      (sum, { name, start, end }) => sum + (this.#stored.has(name) ? 0 : end - start),
      0,
    );
  }

  /** Whether a tensor is stored. */
  has(name: string): boolean {
    return this.#stored.has(name);
  }

  /** The state that was stored with a tensor, even if the tensor was damaged since. */
  state(name: string): FileState | undefined {
    return this.#states.get(name);
  }

  /**
   * Reads a tensor piece by piece; checks each piece before passing it to `use`.
   * @returns false if a piece is damaged: the tensor no longer counts as stored then
   */
  async read(
    name: string,
    use: (bytes: Uint8Array<ArrayBuffer>, piece: PackedPiece) => Promise<void>,
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

  /** Stores a tensor with the state of its file's hash. Writes its record after its bytes are on disk. */
  async write(
    name: string,
    bytesOf: (piece: PackedPiece) => Promise<Uint8Array<ArrayBuffer>>,
    state?: Promise<FileState | undefined>,
  ): Promise<void> {
    const digests: string[] = [];
    for (const piece of this.#pieces(name)) {
      const bytes = await bytesOf(piece);
      this.#file.write(bytes, this.#placed(name).start + piece.row * piece.rowBytes);
      digests.push(await sha256(bytes));
    }
    const known = await state;
    this.#file.flush();
    const { start, end } = this.#placed(name);
    this.#journal.append({ tensor: name, bytes: end - start, sha256: digests, state: known });
    this.#stored.set(name, digests);
    if (known) this.#states.set(name, known);
  }

  /** Drops a tensor that was stored with wrong bytes. */
  invalidate(name: string): void {
    this.#journal.append({ lost: name, wrong: true });
    this.#stored.delete(name);
    this.#states.delete(name);
    this.#committed = false;
  }

  /** Records that the file is complete, if it is. */
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

  #pieces(name: string): PackedPiece[] {
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

  /** The digest of all tensors' digests, in file order. */
  #digest(): Promise<string> {
    return sha256OfText(this.#header.tensors.flatMap(({ name }) => this.#stored.get(name) ?? []).join("\n"));
  }
}

/** What a journal says about its file, for a list of stored models; undefined for an empty journal. */
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
