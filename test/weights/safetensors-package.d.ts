// Types of the untyped npm package `safetensors` 0.0.1, as far as the tests use it.
declare module "safetensors" {
  class SafeTensor {
    constructor(file: Uint8Array);
    readonly metadata: Map<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
    getTensor(name: string): Uint8Array;
  }
  const safetensors: { readonly SafeTensor: typeof SafeTensor };
  export default safetensors;
}
