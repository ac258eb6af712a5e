// A page with nothing but the engine, for tests to call: `sirocco` is what the package exports.
import * as exported from "../../../engine/index.ts";

declare global {
  var sirocco: typeof exported;
}
globalThis.sirocco = exported;
