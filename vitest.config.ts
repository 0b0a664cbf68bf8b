import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.ts";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: "test/support/run-folder.ts",
    // Processes, not threads: tests start children, send signals and change their environment.
    pool: "forks",
    // Most tests wait for a child; one worker per core, also where there are two.
    maxWorkers: "100%",
    sequence: { sequencer: LongestFirst },
    testTimeout: 180_000,
    hookTimeout: 120_000,
    // No test may depend on what an earlier one left behind.
    restoreMocks: true,
    unstubEnvs: true,
  },
});
