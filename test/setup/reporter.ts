// Writes a summary of the run to the file SIROCCO_SUMMARY, for scripts/test.mjs.
import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

export interface Summary {
  /** By project, that is by driver. */
  readonly projects: Record<string, { passed: number; failed: number }>;
  /** "project: file > test" */
  readonly skipped: string[];
  /** Files that did not load, hooks that threw, workers that died: no test counts them. */
  readonly errors: string[];
}

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly { readonly message: string }[]): void {
    const summary: Summary = {
      projects: {},
      skipped: [],
      errors: unhandled.map(({ message }) => firstLine(message)),
    };
    for (const module of modules) count(module, summary);
    const file = process.env["SIROCCO_SUMMARY"];
    if (file) writeFileSync(file, JSON.stringify(summary));
  }
}

function count(module: TestModule, { projects, skipped, errors }: Summary): void {
  const { name } = module.project;
  projects[name] ??= { passed: 0, failed: 0 };
  const counts = projects[name];
  const suites = [...module.children.allSuites()];
  for (const error of [module, ...suites].flatMap((each) => each.errors())) {
    errors.push(`${name}: ${module.relativeModuleId}: ${firstLine(error.message)}`);
  }
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === "passed") counts.passed++;
    else if (state === "failed") counts.failed++;
    else if (state === "skipped") skipped.push(`${name}: ${module.relativeModuleId} > ${test.fullName}`);
    else errors.push(`${name}: ${module.relativeModuleId} > ${test.fullName}: never finished`);
  }
}

const firstLine = (message: string): string => message.split("\n", 1)[0] ?? "";
