// A page with nothing but the engine, for tests to call: `sirocco` is what the package exports.
import * as sirocco from "../../../engine/index.ts";

declare global {
  var sirocco: typeof import("../../../engine/index.ts");
}
globalThis.sirocco = sirocco;
