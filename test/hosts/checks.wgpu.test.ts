// Kernels, pipelines and golden numbers on wgpu's WebGPU: in Firefox and in Deno, on lavapipe.
import { afterAll, describe, test } from "vitest";
import { checks, type HostCheck, type Suite } from "./checks.ts";
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

// Lavapipe takes seconds for many pipelines from wgpu. Where both are installed, each runs every kernel,
// Firefox at every other size and Deno at the rest. They share the models, too.
const projects = process.env["SIROCCO_PROJECTS"]?.split(",") ?? [];
const both = projects.includes("firefox") && projects.includes("deno");

for (const suite of Object.keys(checks) as Suite[]) {
  describe(suite, () => {
    for (const index of host.able[suite]) {
      const { name, turn }: HostCheck = checks[suite][index]!;
      if (both && turn !== undefined && (turn % 2 === 1) !== inDeno) continue;
      test(name, () => host.run(suite, index));
    }
  });
}
