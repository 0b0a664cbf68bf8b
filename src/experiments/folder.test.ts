import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createExperiment, EXPERIMENT_VERSION, readExperiment, type Experiment } from "./folder.ts";

const EXPERIMENT: Omit<Experiment, "version"> = {
  name: "small",
  recipePath: "/a/small.yaml",
  sets: ["training.steps=2"],
  keys: ["a"],
  seeds: [1],
  measure: { source: "report", metric: "exact_match", split: "test" },
  settings: [
    { values: { a: "1" }, recipe: { name: "small", seed: 1, training: { steps: 2 } }, pins: { prompts: "x" } },
  ],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-experiment-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("experiment.json", () => {
  it("reads back as written, recipes and all, and is never written over", async () => {
    const path = join(folder, "new");
    await createExperiment(path, EXPERIMENT);
    expect(await readExperiment(path)).toEqual({ version: EXPERIMENT_VERSION, ...EXPERIMENT });
    await expect(createExperiment(path, EXPERIMENT)).rejects.toMatchObject({
      code: "data.experiment_exists",
      hint: expect.stringContaining("--resume") as string,
    });
  });

  it("is refused when it is absent, no JSON, of a later version or without seeds", async () => {
    const said = async (text: string | null): Promise<unknown> => {
      if (text !== null) await writeFile(join(folder, "experiment.json"), text);
      return readExperiment(folder).catch(
        (error: { code: string; message: string }) => `${error.code} ${error.message}`,
      );
    };
    const whole = { version: EXPERIMENT_VERSION, ...EXPERIMENT };
    expect(await said(null)).toMatch(/^data\.no_experiment .*experiment\.json: cannot be read/);
    expect(await said("{")).toMatch(/^data\.no_experiment .*not JSON/);
    expect(await said(JSON.stringify({ ...whole, version: 2 }))).toMatch(/^data\.no_experiment [^]*version/);
    expect(await said(JSON.stringify({ ...whole, seeds: [] }))).toMatch(/^data\.no_experiment [^]*seeds/);
  });
});
