/**
 * Whether a run has nothing left to train.
 */
import type { RunFolder } from "../runs/run-folder.ts";
import { BestSteps } from "./best.ts";
import type { Recipe } from "./recipe/schema.ts";

/** Its last step is committed, or `evaluation.patience` is used up. */
export async function hasEnded(
  run: Pick<RunFolder, "committed" | "recordsPath">,
  { training, evaluation }: Pick<Recipe, "training" | "evaluation">,
): Promise<boolean> {
  if ((run.committed?.step ?? 0) >= training.steps) return true;
  return (await BestSteps.of(run, evaluation)).exhausted;
}
