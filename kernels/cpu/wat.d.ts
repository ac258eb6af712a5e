// Modules that scripts/wat-plugin.mjs assembles.
interface WatModule {
  /** The binary module. It imports a memory that is not shared. */
  readonly base64: string;
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
