/**
 * For tests only: what is costly to build and read by many files is built once in a run of vitest.
 */
import { cp, mkdtemp, rename } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";

/**
 * Copies to `path` what `build` writes to the folder it is given. Of this run's calls with one `name` the first builds; two at the
 * same time may both, and the first to end is kept.
 */
export async function builtOnce(name: string, path: string, build: (folder: string) => Promise<void>): Promise<void> {
  const kept = join(inject("runFolder"), name);
  if (!existsSync(kept)) {
    const built = join(await mkdtemp(`${kept}-`), "built");
    await build(built);
    await rename(built, kept).catch((error: unknown) => {
      if (!existsSync(kept)) throw error;
    });
  }
  await cp(kept, path, { recursive: true });
}
