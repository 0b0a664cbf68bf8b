/**
 * The control that says what reward is worth: the first checkpoint, trained on with the demonstrations it came from, for as much
 * compute as the run used.
 */
import type { EngineClient } from "../../engine/client.ts";
import type { Environment } from "../../environment/environment.ts";
import { readRecords } from "../../runs/read.ts";
import type { RunFolder } from "../../runs/run-folder.ts";
import type { Recipe } from "../../training/recipe/schema.ts";
import { trainSupervised } from "../../training/supervised.ts";
import { progress } from "../terminal/progress.ts";
import { DemonstrationSource, demonstrationTasks } from "./demonstrations.ts";

export interface SupervisedControl {
  recipe: Recipe;
  control: NonNullable<Recipe["report"]["control"]>;
  run: RunFolder;
  /** Holds the first checkpoint. */
  client: EngineClient;
  /** Of the control's rows (`controlSource`). */
  source: DemonstrationSource;
  signal: AbortSignal;
}

/** Demonstrations of the recipe's control; null where it has none. */
export function controlSource({ seed, tasks, report }: Recipe, environment: Environment): DemonstrationSource | null {
  const { control } = report;
  if (control === null) return null;
  return new DemonstrationSource({
    tasks: demonstrationTasks(tasks.seed),
    mixOf: (step) => ({ sorts: control.rows, place: ["control", seed, step] }),
    environment,
  });
}

/** A forward and a backward pass over a token cost three times its forward pass. */
const TRAINED_TOKEN = 3;

/** No demonstration batch is so small that a run's compute takes more steps. */
const MOST_STEPS = 1_000_000;

/** Compute = sum over steps of (tokens sampled or prefilled + 3 x tokens trained): a count, so that it is the same on every machine. */
export async function trainControl(options: SupervisedControl): Promise<void> {
  const { recipe, control, run, client, source, signal } = options;
  const budget = await computeOf(run);
  const { engine } = recipe;
  const bar = progress("supervised control", budget);
  let spent = 0;
  await trainSupervised({
    client,
    firstStep: 1,
    steps: MOST_STEPS,
    rowsOf: (step) => source.rows(step, signal),
    learningRateOf: (step) => control.learningRate * Math.min(1, step / (control.warmupSteps + 1)),
    pixels: engine.pixels,
    maxTokensPerMicrobatch: engine.maxTokensPerMicrobatch,
    onStep({ step, loss, forwarded }) {
      source.done(step);
      spent += TRAINED_TOKEN * forwarded;
      bar.update(Math.min(spent, budget), `step ${step}, loss ${loss.toFixed(3)} nats/token`);
      return spent < budget;
    },
    signal,
  });
  bar.finish(`${spent} of ${budget} forward-equivalent tokens`);
}

async function computeOf(run: RunFolder): Promise<number> {
  const { records } = await readRecords(run.recordsPath);
  return records.reduce(
    (sum, record) =>
      record.kind === "update" ? sum + record.forwarded.sampling + TRAINED_TOKEN * record.forwarded.update : sum,
    0,
  );
}
