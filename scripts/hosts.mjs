// Finds programs that have a WebGPU of their own and run tests. Imports Node's own modules only.
import { findChromium } from "./chromium.mjs";
import { findDeno } from "./deno.mjs";
import { findFirefox } from "./firefox.mjs";

/**
 * @typedef {{ path: string, env: Record<string, string>, version: string }} Host `env`: needed to start it
 * @typedef {Record<"firefox" | "deno" | "chromium", Host | { why: string }>} Hosts by the name of their
 * project; or why there is none
 */

/** Chromium has Dawn, as Node has, on its own driver. So it is no adapter beside those of Node. */
export const NOT_ADAPTERS = ["chromium"];

/**
 * @param {readonly import("./drivers.mjs").Driver[]} drivers
 * @returns {Hosts}
 */
export const findHosts = (drivers) => ({
  firefox: findFirefox(drivers),
  deno: findDeno(drivers),
  chromium: findChromium(),
});
