import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSweep } from "../../experiments/sweep.ts";
import { recipeSchema } from "../../training/recipe/schema.ts";
import { planExperiment, type SweepRequest } from "./experiment-plan.ts";

const RECIPE = `name: small
seed: 5
model: { path: model }
tasks: { set: damaged-digits, size: 64 }
training: { steps: 2, tasksPerStep: 1, groupSize: 2 }
evaluation: { every: 1, tasks: 3 }
rewards: { exact_match: 1, f1: { weight: 0.5, setting: search } }
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-plan-"));
  await mkdir(join(folder, "model"));
  await writeFile(join(folder, "model/config.json"), "{}");
  await writeFile(join(folder, "recipe.yaml"), RECIPE);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const plan = (sweeps: string[], more: Partial<SweepRequest> = {}): ReturnType<typeof planExperiment> =>
  planExperiment({
    recipePath: join(folder, "recipe.yaml"),
    sets: [],
    seeds: null,
    report: false,
    sweeps: sweeps.map(parseSweep),
    ...more,
  });

describe("planExperiment", () => {
  it("resolves every setting, and says what is measured", async () => {
    const planned = await plan(["training.learningRate=1e-4,2e-4", "training.objective.kl.beta=0,0.01"], {
      sets: ["training.steps=7"],
    });
    const { settings, seeds, keys, measure } = planned;
    const recipes = settings.map(({ recipe }) => recipeSchema.parse(recipe).training);
    expect(recipes.map(({ learningRate, objective, steps }) => [learningRate, objective.kl.beta, steps])).toEqual([
      [1e-4, 0, 7],
      [1e-4, 0.01, 7],
      [2e-4, 0, 7],
      [2e-4, 0.01, 7],
    ]);
    expect([seeds, keys, measure]).toEqual([
      [5],
      ["training.learningRate", "training.objective.kl.beta"],
      { source: "held-out", metric: "exact_match", split: "validation" },
    ]);
  });

  it("under --report measures the final evaluations, and needs no other", async () => {
    const { measure, seeds } = await plan([], { sets: ["evaluation=null"], seeds: [1, 2], report: true });
    expect([measure, seeds]).toEqual([{ source: "report", metric: "exact_match", split: "test" }, [1, 2]]);
  });

  it("takes a key of the task set that leaves the held-out tasks as they are", async () => {
    expect((await plan(["tasks.size=32,64"])).settings).toHaveLength(2);
  });

  it.each([
    [
      "a wrong type",
      ["training.learningRate=1e-4,abc"],
      {},
      "config.invalid_recipe",
      "setting training.learningRate=abc",
    ],
    [
      "a wrong type",
      ["training.learningRate=1e-4,abc"],
      {},
      "config.invalid_recipe",
      "(--sweep training.learningRate=abc)",
    ],
    ["an unknown key", ["training.beta=0,1"], {}, "config.invalid_recipe", "training.beta: unknown key"],
    ["a contradiction", ["training.updatesPerBatch=1,2"], {}, "config.invalid_recipe", "updatesPerBatch=2"],
    ["an unknown verifier", ["rewards.beauty=1,2"], {}, "config.unknown_verifier", "setting rewards.beauty=1"],
    ["a verifier file that is gone", ["rewards={exact_match: 1},{./no.ts: 1}"], {}, "config.missing_file", "no.ts"],
    ["a model that is gone", ["model.path=model,other"], {}, "checkpoint.missing", "setting model.path=other"],
    ["no recipe", ["a=1"], { recipePath: "none.yaml" }, "config.missing_file", "cannot read recipe none.yaml"],
    ["nothing", [], {}, "config.nothing_to_sweep", "--seeds"],
    ["the same twice", ["training.objective=grpo,{preset: grpo}"], {}, "config.sweep_same", "are the same recipe"],
    ["no evaluation", ["evaluation=null,{every: 1, tasks: 3}"], {}, "config.sweep_unmeasured", "evaluation=null"],
    ["other held-out tasks", ["tasks.seed=0,1"], {}, "config.sweep_incomparable", "tasks.seed=1"],
    ["another number of tasks", ["evaluation.tasks=3,4"], {}, "config.sweep_incomparable", "(4)"],
    ["another metric", ["evaluation.metric=exact_match,f1"], {}, "config.sweep_incomparable", "f1"],
    [
      "another measure by the same name",
      ["rewards.f1.setting=search,coding"],
      { sets: ["evaluation.metric=f1"] },
      "config.sweep_incomparable",
      "options",
    ],
    [
      "a worker that runs already",
      ["training.steps=1,2"],
      { sets: ["model={worker: 'http://127.0.0.1:1'}"] },
      "config.sweep_worker",
      "one run",
    ],
    ["a key that is set too", ["training.steps=1,2"], { sets: ["training.steps=3"] }, "config.bad_sweep", "--set"],
  ])("%s is refused before anything starts", async (_, sweeps, more, code, said) => {
    const error = await plan(sweeps, more).then(
      () => null,
      (thrown: { code: string; message: string }) => thrown,
    );
    expect(error).toMatchObject({ code, message: expect.any(String) as string });
    expect(`${error?.message} ${(error as { hint?: string } | null)?.hint}`).toContain(said);
  });

  it("another weight of the metric is no other measure", async () => {
    expect((await plan(["rewards.f1.weight=0.1,0.2"], { sets: ["evaluation.metric=f1"] })).settings).toHaveLength(2);
  });
});
