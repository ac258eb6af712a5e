// Finds a Firefox for the tests, and says how to start it. Imports Node's own modules only.
import { findOnLavapipe } from "./lavapipe-host.mjs";

/** @param {readonly import("./drivers.mjs").Driver[]} drivers */
export const findFirefox = (drivers) =>
  findOnLavapipe(drivers, {
    places: ["/usr/bin/firefox-esr", "/usr/bin/firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"],
    missing: "not installed (Debian: `.ci/run --firefox` installs firefox-esr)",
    version: /(\S+)\s*$/,
    // Older ones have WebGPU in nightly builds only, or none.
    oldest: "153",
  });

/**
 * What Puppeteer launches, with WebGPU.
 * @param {import("./hosts.mjs").Host} host
 */
export const launchOptions = ({ path, env }) => ({
  browser: /** @type {const} */ ("firefox"),
  executablePath: path,
  headless: true,
  env: { ...process.env, ...env },
  extraPrefsFirefox: {
    "dom.webgpu.enabled": true,
    "dom.webgpu.workers.enabled": true,
    "gfx.webgpu.ignore-blocklist": true,
  },
});
