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

// Lavapipe takes seconds for each of these from wgpu: Firefox runs half of the sizes, Deno the rest.
const SLOW = /^attention(_tile)?_(f32|f16|q8) /;

for (const suite of Object.keys(checks) as Suite[]) {
  describe(suite, () => {
    for (const index of host.able[suite]) {
      const { name } = checks[suite][index]!;
      if (SLOW.test(name) && (index % 2 === 1) !== inDeno) continue;
      test(name, () => host.run(suite, index));
    }
  });
}
