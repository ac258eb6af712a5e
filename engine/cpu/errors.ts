// Errors of the CPU device, named as in WebGPU.

export class CpuOutOfMemoryError {
  static readonly name = "GPUOutOfMemoryError";
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}
export class CpuValidationError {
  static readonly name = "GPUValidationError";
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}
export type CpuError = CpuOutOfMemoryError | CpuValidationError;
