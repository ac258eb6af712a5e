// Modules that scripts/wat-plugin.mjs assembles.
declare module "*.wat?wasm" {
  interface WatModule {
    /** The binary module. It imports a memory that is not shared. */
    readonly base64: string;
    /** The place of the byte that says so. */
    readonly limitsAt: number;
  }
  const module: WatModule & {
    /** The module for where relaxed SIMD is known, if it differs there. */
    readonly relaxed?: WatModule;
  };
  export default module;
}
