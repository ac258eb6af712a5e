// The command's options, and the server's routes, metrics and limits, for the tests of deploy/.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Context } from "../../cli/context.ts";
import { createProgram } from "../../cli/program.ts";
import { createApp } from "../../server/app.ts";
import { createService } from "../../server/service.ts";
import { fakeModel } from "../fake-model.ts";

/** The text of a file, by its path from the repository's root. */
export const readText = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");

/** A server without a port, with a fake model. */
export function paperServer() {
  const service = createService(fakeModel().model, { name: "paper" });
  const app = createApp(service);
  const get = async (path: string) => (await app.request(path)).status;
  return { service, app, get };
}

/** Names of the metrics. */
export async function metricNames(): Promise<string[]> {
  const text = await paperServer().service.metrics.text();
  return [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
}

/** Parses arguments as `sirocco serve` does. @throws Error for an unknown one */
export function parseServe(args: readonly string[]): Record<string, unknown> {
  const [name, ...rest] = args;
  const context = { io: { stdout: {}, stderr: {}, env: {} } } as unknown as Context;
  const command = createProgram(context, () => {}).commands.find((each) => each.name() === name);
  if (!command) throw new Error(`expected a command of sirocco, got ${name}`);
  const { operands, unknown } = command.parseOptions(rest);
  if (operands.length + unknown.length > 0)
    throw new Error(`sirocco ${name} does not know ${[...operands, ...unknown].join(" ")}`);
  return command.opts();
}
