/**
 * A vitest reporter for `npm test`: counts, names of failures, and the reason of every skipped test, as JSON in `VARFT_TEST_REPORT`.
 * vitest's own JSON report leaves the reasons out.
 */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";

/** @typedef {import("vitest/reporters").Reporter} Reporter */

/** @implements {Reporter} */
export default class SummaryReporter {
  /**
   * @param {readonly import("vitest/node").TestModule[]} testModules
   * @param {readonly {message: string}[]} unhandledErrors
   */
  onTestRunEnd(testModules, unhandledErrors) {
    const file = process.env["VARFT_TEST_REPORT"];
    if (file === undefined) return;
    let passed = 0;
    /** @type {string[]} */
    const failures = [];
    /** @type {{name: string, reason: string}[]} */
    const skipped = [];
    for (const module of testModules) {
      const path = relative(process.cwd(), module.moduleId);
      for (const error of module.errors()) failures.push(`${path}: ${error.message}`);
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) failures.push(`${path} > ${suite.fullName}: ${error.message}`);
      }
      for (const test of module.children.allTests()) {
        const result = test.result();
        const name = `${path} > ${test.fullName}`;
        if (result.state === "passed") passed += 1;
        else if (result.state === "skipped")
          skipped.push({ name, reason: result.note ?? "no reason given (use context.skip(reason))" });
        else failures.push(name);
      }
    }
    for (const error of unhandledErrors) failures.push(`unhandled error: ${error.message}`);
    writeFileSync(file, JSON.stringify({ passed, failures, skipped }));
  }
}
