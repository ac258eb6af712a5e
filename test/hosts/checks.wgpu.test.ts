// Kernels, pipelines and golden numbers on wgpu's WebGPU: in Firefox and in Deno, on lavapipe.
import { afterAll, describe, test } from "vitest";
import { checks, type Suite } from "./checks.ts";
import { Host } from "./host.ts";
import { startDeno, startFirefox } from "./processes.ts";
import { openSite } from "./site.ts";

const inDeno = process.env["SIROCCO_PROJECT"] === "deno";
const start = inDeno ? startDeno : startFirefox;
const site = await openSite();
const host = await Host.open(() => start(site));
afterAll(async () => {
  await host.close();
  await site.close();
});

// Lavapipe takes seconds for each of these from wgpu. Where both are installed, Firefox runs half of them
// and Deno the rest.
const SLOW = /^attention(_tile)?_(f32|f16|q8) /;
const projects = process.env["SIROCCO_PROJECTS"]?.split(",") ?? [];
const both = projects.includes("firefox") && projects.includes("deno");

for (const suite of Object.keys(checks) as Suite[]) {
  describe(suite, () => {
    for (const index of host.able[suite]) {
      const { name } = checks[suite][index]!;
      if (both && SLOW.test(name) && (index % 2 === 1) !== inDeno) continue;
      test(name, () => host.run(suite, index));
    }
  });
}
