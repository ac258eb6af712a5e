// The known bugs of scripts/bugs/: `npm run prove` puts each back and expects its test to fail.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { apisBugs } from "./bugs/apis.mjs";
import { engineBugs } from "./bugs/engine.mjs";
import { filesBugs } from "./bugs/files.mjs";
import { graphBugs } from "./bugs/graph.mjs";
import { serverBugs } from "./bugs/server.mjs";
import { root } from "./setup.mjs";

export const bugs = { ...graphBugs, ...engineBugs, ...apisBugs, ...serverBugs, ...filesBugs };

/** Bugs that cannot be put back, because the code has changed since. */
export const staleBugs = () =>
  Object.entries(bugs)
    .filter(([, { file, from }]) => !readFileSync(join(root, file), "utf8").includes(from))
    .map(
      ([name, { file, from }]) =>
        `scripts/bugs: ${name}: expected ${JSON.stringify(from)} in ${file}. Follow the code.`,
    );
