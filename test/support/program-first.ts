/**
 * The order of test files: those that drive whole runs take minutes, so they begin first and a core is not left alone with one at the end.
 */
import { BaseSequencer, type TestSpecification } from "vitest/node";

export class ProgramFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isProgram = ({ moduleId }: TestSpecification): boolean => moduleId.includes("/test/program/");
    return [...sorted.filter(isProgram), ...sorted.filter((file) => !isProgram(file))];
  }
}
