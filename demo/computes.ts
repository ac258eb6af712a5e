// What computes the models of this page.
import type { AdapterDescription, LoadOptions } from "./engine.ts";

/**
 * `?adapter=cpu` or `?adapter=webgpu` in the page's address, for comparisons. Default: a hardware GPU, or
 * else the CPU.
 */
export function chosenAdapter(): Pick<LoadOptions, "adapter"> {
  const adapter = new URLSearchParams(location.search).get("adapter");
  return adapter ? { adapter } : {};
}

/** Whether it is Sirocco's own code for the CPU, and not a driver. */
export const isCpu = ({ architecture }: AdapterDescription): boolean => architecture === "wasm";
