/**
 * The recipes of the paper against its numbers, written out again from NUMERICS' sources: a slip in either is seen.
 */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageFolder } from "../../core/installation.ts";
import { learningRateAt } from "../schedule.ts";
import { loadRecipe } from "./load.ts";
import { recipeSchema } from "./schema.ts";

const load = (name: string) => loadRecipe(recipeSchema, join(packageFolder, `recipes/paper/${name}.yaml`));

describe.each(["3b", "7b"])("the paper's recipes for %s", (size) => {
  describe.each(["search", "coding"] as const)("%s", (setting) => {
    const [steps, scheduled, file] =
      setting === "search" ? ([200, 1600, "agent_search_20"] as const) : ([1400, 2120, "agent_code_1_2k"] as const);

    it.each(["full", "lora"])("%s: the numbers that both share", async (how) => {
      const recipe = await load(`${setting}-${size}-${how}`);
      expect(recipe).toMatchObject({
        name: `paper-${setting}-${size}-${how}`,
        model: { path: `../../models/Qwen2.5-VL-${size.toUpperCase()}-Instruct` },
        engine: {
          device: "cuda",
          dtype: "bfloat16",
          gradientCheckpointing: true,
          pixels: { min: 3136, max: 512 * 28 * 28 },
        },
        tasks: { set: "mat-steps", squash: 720, skipBad: false, size: null },
        environment: { mode: "step", parsing: "strict", prompts: `varft:${setting}` },
        sampling: { temperature: 1, topK: 50, topP: 1, repetitionPenalty: 1, maxTokens: 256, stop: [] },
        training: {
          steps,
          tasksPerStep: 8 * 1 * 2,
          groupSize: 8,
          updatesPerBatch: 1,
          betas: [0.9, 0.999],
          eps: 1e-8,
          weightDecay: 0,
          maxGradNorm: 1,
          advantageScale: "group",
          aggregation: "sequence-mean",
          objective: { preset: "grpo", kl: { beta: 0.04, estimator: "k3", timesRatio: false } },
        },
        rewards: { format: { weight: 1, setting }, accuracy: { weight: 1, setting } },
      });
      expect(recipe.tasks).toMatchObject({ file: expect.stringContaining(`rft_${file}.json`) as string });
    });

    it("full: AdamW at 1e-6 with linear decay over the whole schedule, of which a part is used", async () => {
      const { training, engine } = await load(`${setting}-${size}-full`);
      expect(engine.lora).toBeNull();
      for (const step of [1, 2, 100, steps]) {
        // transformers: lr (scheduled - updates done) / scheduled.
        const rate = (1e-6 * (scheduled - (step - 1))) / scheduled;
        expect(learningRateAt(training, step, training.steps)).toBeCloseTo(rate, 15);
      }
    });

    it("lora: an adapter on the frozen base", async () => {
      expect((await load(`${setting}-${size}-lora`)).engine.lora).toMatchObject({ rank: 32, targets: "all-linear" });
    });
  });
});
