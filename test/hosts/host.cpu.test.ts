// Processes that fail a check, die of one, or hang.
import { expect, test } from "vitest";
import { checks } from "./checks.ts";
import { Host } from "./host.ts";

const able = { contract: [0, 1], compiles: [], golden: [] };

/** A host whose processes answer as `answer` does. @returns how many were started and ended, too */
async function openHost(answer: (index: number) => Promise<string | undefined>) {
  const count = { started: 0, ended: 0 };
  const start = async () => {
    count.started++;
    const close = async () => {
      count.ended++;
    };
    return { able, run: (_: unknown, index: number) => answer(index), close };
  };
  return { host: await Host.open(start, 50), count };
}

test("a check that fails says why, and the process goes on", async () => {
  const { host, count } = await openHost(async (i) => (i === 0 ? "y[3]: expected 1, got 2" : undefined));
  await expect(host.run("contract", 0)).rejects.toThrow("y[3]: expected 1, got 2");
  await host.run("contract", 1);
  expect(count).toEqual({ started: 1, ended: 0 });
});

test.each([
  ["dies", "Target closed", () => Promise.reject(new Error("Target closed"))],
  ["hangs", "no answer in 0.05 s", () => new Promise<never>(() => {})],
])("a process that %s names the check, and another runs the next", async (_, why, answer) => {
  const { host, count } = await openHost(async (i) => (i === 0 ? answer() : undefined));
  const { name } = checks.contract[0]!;
  await expect(host.run("contract", 0)).rejects.toThrow(
    `The process died while it ran contract ${name}: ${why}`,
  );
  expect(count).toEqual({ started: 1, ended: 1 });
  await host.run("contract", 1);
  await host.close();
  expect(count).toEqual({ started: 2, ended: 2 });
});
