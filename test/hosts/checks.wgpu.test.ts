// Kernels, pipelines and golden numbers on wgpu's WebGPU: in Firefox and in Deno, on lavapipe.
import { afterAll, describe, test } from "vitest";
import { checks, type Suite } from "./checks.ts";
import { Host } from "./host.ts";
import { startDeno, startFirefox } from "./processes.ts";
import { openSite } from "./site.ts";

const start = process.env["SIROCCO_PROJECT"] === "deno" ? startDeno : startFirefox;
const site = await openSite();
const host = await Host.open(() => start(site));
afterAll(async () => {
  await host.close();
  await site.close();
});

for (const suite of Object.keys(checks) as Suite[]) {
  describe(suite, () => {
    for (const index of host.able[suite]) {
      const { name } = checks[suite][index]!;
      test(name, () => host.run(suite, index));
    }
  });
}
