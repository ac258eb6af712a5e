// The order of test files.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Files that take longer than a minute on some project, the longest first. Vitest would sort by what it
 * remembers of the last run, or by bytes: a long one that starts last leaves all cores but one idle.
 */
const LONG = [
  "hosts/checks.wgpu",
  "kernels/contract",
  "engine/golden",
  "engine/golden-variants",
  "engine/families",
  "kernels/outliers",
  "engine/token-blocks",
  "engine/quality",
  "kernels/wgsl.cpu",
];

/** The projects with the longest files first, and the one with many short ones last. */
const PROJECTS = ["firefox", "chromium", "deno", "lavapipe", "swiftshader", "wasm", "cpu"];

export default class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => place(a) - place(b));
  }
}

/** Long files of all projects come before the others. */
function place({ moduleId, project }: TestSpecification): number {
  const long = LONG.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return (long < 0 ? LONG.length : long) * PROJECTS.length + PROJECTS.indexOf(project.name);
}
