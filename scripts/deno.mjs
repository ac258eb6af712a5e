// Finds a Deno for the tests. Imports Node's own modules only.
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findOnLavapipe } from "./lavapipe-host.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @param {readonly import("./drivers.mjs").Driver[]} drivers */
export const findDeno = (drivers) =>
  findOnLavapipe(drivers, {
    places: [
      // Not .bin: the script there is a parent of the real one, if npm may not run scripts.
      join(root, ".cache", "deno", "node_modules", "deno"),
      ...(process.env["PATH"] ?? "").split(delimiter),
    ].map((folder) => join(folder, "deno")),
    missing: "not installed (`.ci/run --deno` installs it into .cache)",
    version: /^deno (\S+)/,
    // The version that `.ci/run --deno` installs.
    oldest: "2.9.6",
  });
