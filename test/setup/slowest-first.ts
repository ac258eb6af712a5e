// The order of test files.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Vitest orders projects by name. Here the long files come first and the many short ones last: a long one
 * that starts last would leave all cores but one idle.
 */
const PROJECTS = ["firefox", "swiftshader", "lavapipe", "deno", "cpu"];

export default class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => PROJECTS.indexOf(a.project.name) - PROJECTS.indexOf(b.project.name));
  }
}
