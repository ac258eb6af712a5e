/** What an adapter's `architecture` is, if it is the device that computes on the CPU. */
export const CPU_ARCHITECTURE = "wasm";
