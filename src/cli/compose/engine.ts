/**
 * The worker that a recipe asks for: a child process with a checkpoint or the tiny model, or one that runs already.
 */
import { resolve } from "node:path";
import { ConfigError, EngineError } from "../../core/errors.ts";
import type { EngineHandle } from "../../engine/handle.ts";
import { connectEngine } from "../../engine/remote.ts";
import { startEngine } from "../../engine/supervisor.ts";
import type { PromptSet } from "../../protocol/prompt-set.ts";
import type { Sandbox } from "../../sandbox/types.ts";
import type { Recipe } from "../../training/recipe/schema.ts";
import { tinyModel } from "./tiny-model.ts";

export interface EngineRequest {
  recipe: Recipe;
  /** Folder that the recipe's paths are relative to. */
  folder: string;
  prompts: PromptSet;
  sandbox: Sandbox;
  logFile: string;
  imageBytes: (sha256: string) => Promise<Uint8Array>;
  /** No step is committed yet, so the run needs the initial weights; a resumed one loads its checkpoint over whatever is there. */
  fresh: boolean;
  signal: AbortSignal;
}

/** The tiny model knows one task set. Throws `config.tiny_tasks`. */
export function refuseTinyElsewhere({ model, tasks }: Recipe): void {
  if (!("tiny" in model) || tasks.set === "rotation") return;
  throw new ConfigError("config.tiny_tasks", `model.tiny is taught the rotation tasks, tasks.set is ${tasks.set}`, {
    hint: "Set tasks.set to rotation, or name a checkpoint: model.path.",
  });
}

export async function openEngine({
  recipe,
  folder,
  prompts,
  sandbox,
  fresh,
  ...rest
}: EngineRequest): Promise<EngineHandle> {
  const { model, seed } = recipe;
  if ("worker" in model) {
    const handle = await connectEngine({ url: model.worker, imageBytes: rest.imageBytes, signal: rest.signal });
    if (!fresh || handle.info.policyVersion === 0) return handle;
    await handle.stop();
    throw new EngineError(
      "engine.not_fresh",
      `the worker at ${model.worker} has trained already: policy version ${handle.info.policyVersion}, expected 0`,
      { hint: "Restart that worker; a run begins with the weights of its model folder." },
    );
  }
  const modelPath =
    "path" in model
      ? resolve(folder, model.path)
      : await tinyModel({ ...model.tiny, recipe, prompts, sandbox, logFile: rest.logFile, signal: rest.signal });
  const { device, dtype, threads, port } = recipe.engine;
  return startEngine({ modelPath, device, dtype, threads, port, seed, ...rest });
}
