// Copies packed tensors between their file and the GPU's buffers. The bytes are the same in both.
import {
  type FileState,
  type PackedFile,
  type PackedPiece,
  packedName,
  scaleName,
  type TensorInfo,
  unpackedName,
} from "../../weights/index.ts";
import { readBuffer } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { UploadTarget } from "./upload-target.ts";

/** Turns errors of the file system into errors that say what to do. */
type Guard = <T>(work: () => Promise<T>) => Promise<T>;

/** Some bytes of a destination's buffer that are rows of a piece. */
interface Overlap {
  readonly buffer: GPUBuffer;
  readonly inBuffer: number;
  readonly inPiece: number;
  readonly bytes: number;
}

export class StoredWeights {
  readonly #file: PackedFile;
  readonly #guard: Guard;

  constructor(file: PackedFile, guard: Guard) {
    this.#file = file;
    this.#guard = guard;
  }

  /** File to GPU. @returns false if the tensor is missing or damaged: then it must be fetched and stored */
  async upload(
    gpu: Gpu,
    tensor: TensorInfo,
    to: readonly UploadTarget[],
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const names = this.#names(tensor, to);
    if (!names.every((name) => this.#file.has(name))) return false;
    const { queue } = gpu.device;
    for (const [binding, name] of names.entries()) {
      let pending: Promise<unknown> = Promise.resolve();
      const right = await this.#guard(() =>
        this.#file.read(name, async (bytes, piece) => {
          signal?.throwIfAborted();
          await gpu.settle(pending);
          for (const part of overlaps(piece, binding, to))
            queue.writeBuffer(part.buffer, part.inBuffer, bytes, part.inPiece, part.bytes);
          pending = queue.onSubmittedWorkDone();
        }),
      );
      await gpu.settle(pending);
      if (!right) return false;
    }
    return true;
  }

  /** GPU to file. @param state of the file's check, stored with the last part of the tensor */
  async download(
    gpu: Gpu,
    tensor: TensorInfo,
    from: readonly UploadTarget[],
    signal: AbortSignal | undefined,
    state?: Promise<FileState | undefined>,
  ): Promise<void> {
    const names = this.#names(tensor, from);
    for (const [binding, name] of names.entries()) {
      await this.#guard(() =>
        this.#file.write(
          name,
          async (piece) => {
            signal?.throwIfAborted();
            const bytes = new Uint8Array(piece.rows * piece.rowBytes);
            for (const part of overlaps(piece, binding, from)) {
              const read = readBuffer(gpu.device, part.buffer, part.inBuffer, part.bytes);
              bytes.set(new Uint8Array(await gpu.settle(read)), part.inPiece);
            }
            return bytes;
          },
          binding === names.length - 1 ? state : undefined,
        ),
      );
    }
  }

  /** The state of the file's check that was stored with a tensor. */
  state(tensor: TensorInfo, to: readonly UploadTarget[]): FileState | undefined {
    return this.#file.state(this.#names(tensor, to).at(-1) ?? "");
  }

  /** Whether the file was complete and verified when its last record was written. */
  get committed(): boolean {
    return this.#file.committed;
  }

  /** Discards a tensor whose fetched bytes were wrong. */
  invalidate(tensor: TensorInfo, to: readonly UploadTarget[]): Promise<void> {
    return this.#guard(async () => {
      for (const name of this.#names(tensor, to)) this.#file.invalidate(name);
    });
  }

  /** Records that the file is complete, if it is. */
  commit(): Promise<void> {
    return this.#guard(() => this.#file.commit());
  }

  close(): void {
    this.#file.close();
  }

  /** The names of a tensor in the file: one for each of its buffers. A packed tensor is one of them. */
  #names({ name, shape }: TensorInfo, [first]: readonly UploadTarget[]): string[] {
    if (unpackedName(name) !== name || shape.length === 1) return [name];
    return [packedName(name), scaleName(name)].slice(0, first?.buffers.length ?? 1);
  }
}

function overlaps(piece: PackedPiece, binding: number, places: readonly UploadTarget[]): Overlap[] {
  const { row, rows, rowBytes } = piece;
  return places.flatMap((place) => {
    const first = Math.max(row, place.row);
    const last = Math.min(row + rows, place.row + place.rows);
    const buffer = place.buffers[binding];
    if (first >= last || !buffer) return [];
    return [
      {
        buffer,
        inBuffer: (place.at + first - place.row) * rowBytes,
        inPiece: (first - row) * rowBytes,
        bytes: (last - first) * rowBytes,
      },
    ];
  });
}
