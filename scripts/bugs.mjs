// The known bugs of scripts/bugs/: `npm run prove` puts each back and expects its test to fail.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { adapterBugs } from "./bugs/adapters.mjs";
import { apisBugs } from "./bugs/apis.mjs";
import { cpuBugs } from "./bugs/cpu.mjs";
import { demoBugs } from "./bugs/demo.mjs";
import { engineBugs } from "./bugs/engine.mjs";
import { filesBugs } from "./bugs/files.mjs";
import { graphBugs } from "./bugs/graph.mjs";
import { serverBugs } from "./bugs/server.mjs";
import { structuredBugs } from "./bugs/structured.mjs";
import { root } from "./setup.mjs";

export const bugs = {
  ...graphBugs,
  ...demoBugs,
  ...engineBugs,
  ...apisBugs,
  ...structuredBugs,
  ...serverBugs,
  ...filesBugs,
  ...adapterBugs,
  ...cpuBugs,
};

/** Whether a test file exists and holds the quoted title. Titles with "_" are made at run time. */
function hasTest(/** @type {string[]} */ [file = "", , title = ""]) {
  const path = join(root, file);
  return existsSync(path) && (title.includes("_") || readFileSync(path, "utf8").includes(title));
}

/** Bugs that cannot be put back or tested, because the code or the tests have changed since. */
export const staleBugs = () =>
  Object.entries(bugs).flatMap(([name, { file, from, test }]) => [
    ...(readFileSync(join(root, file), "utf8").split(from).length === 2
      ? []
      : [`scripts/bugs: ${name}: expected ${JSON.stringify(from)} once in ${file}. Follow the code.`]),
    ...(hasTest(test) ? [] : [`scripts/bugs: ${name}: no test ${test.join(" ")}. Follow the tests.`]),
  ]);
