/**
 * The worker that a recipe asks for: a child process with a checkpoint, or one that runs already.
 */
import { resolve } from "node:path";
import { EngineError } from "../../core/errors.ts";
import type { EngineHandle } from "../../engine/handle.ts";
import { connectEngine } from "../../engine/remote.ts";
import { startEngine } from "../../engine/supervisor.ts";
import type { Recipe } from "../../training/recipe/schema.ts";

export interface EngineRequest {
  recipe: Recipe;
  /** Folder that the recipe's paths are relative to. */
  folder: string;
  logFile: string;
  imageBytes: (sha256: string) => Promise<Uint8Array>;
  /** No step is committed yet, so the run needs the initial weights; a resumed one loads its checkpoint over whatever is there. */
  fresh: boolean;
  signal: AbortSignal;
}

export async function openEngine({ recipe, folder, fresh, ...rest }: EngineRequest): Promise<EngineHandle> {
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
  const { device, dtype, threads, port } = recipe.engine;
  return startEngine({ modelPath: resolve(folder, model.path), device, dtype, threads, port, seed, ...rest });
}
