/**
 * The order of test files: those that take minutes begin first, so that a core is not left alone with one at the end.
 */
import { BaseSequencer, type TestSpecification } from "vitest/node";

const MINUTES = [
  "test/program/resume.test.ts",
  "test/sandbox/attacks.test.ts",
  "test/program/quickstart.test.ts",
  "test/sandbox/lifecycle.test.ts",
  "test/program/sweep.test.ts",
  "test/house/setup.test.ts",
  "test/program/",
  "test/sandbox/",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification): number => {
      const found = MINUTES.findIndex((path) => moduleId.includes(`/${path}`));
      return found < 0 ? MINUTES.length : found;
    };
    return sorted.toSorted((one, other) => place(one) - place(other));
  }
}
