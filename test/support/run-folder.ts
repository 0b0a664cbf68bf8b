/**
 * The folder of what a run of vitest builds once (src/engine/testing/built-once.ts): made before the first test, removed after the last.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** A folder that lives as long as the run. */
    runFolder: string;
  }
}

export default async function makeRunFolder(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "varft-tests-"));
  project.provide("runFolder", folder);
  return () => rm(folder, { recursive: true, force: true });
}
