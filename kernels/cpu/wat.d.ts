// Modules that scripts/wat-plugin.mjs assembles.
interface WatModule {
  /** The binary module, which imports a memory that is not shared: zlib's format in base64. */
  readonly deflated: string;
  /** The place of the byte that says so. */
  readonly limitsAt: number;
}
declare module "*.wat?wasm" {
  const module: WatModule;
  export default module;
}
/** With relaxed SIMD. */
declare module "*.wat?wasm&relaxed" {
  const module: WatModule;
  export default module;
}
