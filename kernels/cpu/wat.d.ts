// Modules that scripts/wat-plugin.mjs assembles.
declare module "*.wat?wasm" {
  const module: {
    /** The binary module. It imports a memory that is not shared. */
    readonly base64: string;
    /** The place of the byte that says so. */
    readonly limitsAt: number;
  };
  export default module;
}
