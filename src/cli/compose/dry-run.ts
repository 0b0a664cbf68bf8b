/**
 * `varft train RECIPE --dry-run`: everything that can be known of a run without weights, a worker or a sandbox.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { DataError } from "../../core/errors.ts";
import type { LoadedTask } from "../../core/task.ts";
import type { EnvironmentSettings } from "../../environment/settings.ts";
import { messagesAt } from "../../environment/messages.ts";
import { imageTokens, predictMemory, type MemoryPrediction } from "../../training/memory/predict.ts";
import { findPixelLimits, findShape, type FoundShape } from "../../training/memory/shape.ts";
import type { Recipe } from "../../training/recipe/schema.ts";
import { openInputs, type RunInputs } from "./inputs.ts";

export interface DryRun {
  recipe: Recipe;
  inputs: RunInputs;
  /** Tasks by kind. */
  kinds: Record<string, number>;
  tasksPerStep: number;
  /** Completions of a step, at most: tasks x group x model calls. */
  completionsPerStep: number;
  /** Null for a worker that runs elsewhere. */
  model: (FoundShape & { path: string; memory: MemoryPrediction; promptTokens: number; imageTokens: number }) | null;
}

/** Throws what `varft train` would throw before it starts anything, and `config.unknown_model`. */
export async function dryRun(recipe: Recipe, recipePath: string): Promise<DryRun> {
  const inputs = await openInputs(recipe, recipePath);
  const { tasks, tasksOfStep, folder } = inputs;
  refuseMissingEncoders(inputs);
  const kinds: Record<string, number> = {};
  for (let index = 0; index < tasks.size; index++) {
    const kind = tasks.kindOf(index);
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  const first = await Promise.all(tasksOfStep(1).map((index) => tasks.load(index)));
  const completionsPerStep = first.length * recipe.training.groupSize * modelCalls(recipe);
  const found =
    "path" in recipe.model ? await predict(recipe, resolve(folder, recipe.model.path), inputs, first) : null;
  return { recipe, inputs, kinds, tasksPerStep: first.length, completionsPerStep, model: found };
}

function modelCalls({ environment }: Recipe): number {
  return environment.mode === "step" ? 1 : environment.maxTurns;
}

async function predict(
  recipe: Recipe,
  path: string,
  { prompts }: RunInputs,
  tasks: readonly LoadedTask[],
): Promise<DryRun["model"]> {
  const found = await findShape(path);
  const own = await findPixelLimits(path);
  const { engine, sampling, training } = recipe;
  const pixels = { min: engine.pixels.min ?? own.min, max: engine.pixels.max ?? own.max };
  const settings = { ...recipe.environment, prompts };
  const lengths = tasks.map((task) =>
    lengthOf(task, settings, (image) => imageTokens(image, found.shape.vision, pixels)),
  );
  const images = Math.max(...lengths.map((length) => length.images));
  const text = Math.max(...lengths.map((length) => length.text));
  // A later prompt of an episode holds what was said before, and in a conversation each processed image too.
  const later = (modelCalls(recipe) - 1) * (sampling.maxTokens + (recipe.environment.context === "chat" ? images : 0));
  const { lora } = engine;
  const memory = predictMemory(found.shape, {
    bytesPerWeight: engine.dtype === "bfloat16" ? 2 : 4,
    lora: lora === null ? null : { rank: lora.rank, targets: lora.targets === "all-linear" ? null : lora.targets },
    freezeVision: engine.freezeVision,
    gradientCheckpointing: engine.gradientCheckpointing,
    reference: training.objective.kl.beta > 0,
    maxTokensPerMicrobatch: engine.maxTokensPerMicrobatch,
    promptTokens: images + text + later,
    imageTokens: images,
    completionTokens: sampling.maxTokens,
    sequences: tasks.length * training.groupSize,
  });
  return { ...found, path, memory, promptTokens: images + text + later, imageTokens: images };
}

/** Bytes of text that a token stands for, on the low side: English has more, code and Chinese about this. */
const BYTES_PER_TOKEN = 3;

/** Tokens of a task's first prompt; those of its text are an estimate, for only the worker has the tokenizer. */
function lengthOf(
  { task, images }: LoadedTask,
  settings: EnvironmentSettings,
  tokensOf: (image: { width: number; height: number }) => number,
): { text: number; images: number } {
  const messages = messagesAt({ task: task.public, turns: [] }, 0, settings);
  const parts = messages.flatMap(({ content }) => content);
  const bytes = parts.reduce((sum, part) => sum + (part.type === "text" ? Buffer.byteLength(part.text) : 0), 0);
  const shown = parts.flatMap((part) =>
    part.type === "image" ? images.filter(({ sha256 }) => sha256 === part.sha256) : [],
  );
  return {
    text: Math.ceil(bytes / BYTES_PER_TOKEN),
    images: shown.reduce((sum, image) => sum + tokensOf(image), 0),
  };
}

/** A sentence encoder that is named by path has to be there; a hub id cannot be looked up here. */
function refuseMissingEncoders({ verifiers, folder }: RunInputs): void {
  for (const { verifier } of verifiers) {
    const model = verifier.needs.embedding?.model;
    if (model === undefined || !/^[./]/.test(model) || existsSync(resolve(folder, model))) continue;
    throw new DataError(
      "data.missing_file",
      `verifier ${verifier.name}: no sentence encoder at ${resolve(folder, model)}`,
      {
        hint: "Download all-MiniLM-L6-v2 there, or name it by its hub id.",
        details: { file: resolve(folder, model) },
      },
    );
  }
}
