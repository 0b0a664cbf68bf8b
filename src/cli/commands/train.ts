/**
 * `varft train RECIPE`: GRPO with live episodes; `--resume RUN` goes on after the last committed step.
 */
import { Command } from "commander";
import { ConfigError } from "../../core/errors.ts";
import { enginePolicy } from "../../policies/engine.ts";
import { RunFolder } from "../../runs/run-folder.ts";
import { train } from "../../training/grpo.ts";
import { loadRecipe } from "../../training/recipe/load.ts";
import { recipeSchema } from "../../training/recipe/schema.ts";
import { refuseOtherPins, type RunManifest } from "../compose/manifest.ts";
import { newRunPath } from "../compose/run-path.ts";
import { openTrainingRun, type OpenRequest } from "../compose/training-run.ts";
import { stepReporter } from "../terminal/step-reporter.ts";
import { style } from "../terminal/style.ts";

interface TrainFlags {
  set: string[];
  out?: string;
  resume?: string;
}

export function trainCommand(signal: AbortSignal): Command {
  return new Command("train")
    .description("Train a policy by GRPO with live episodes.")
    .argument("[recipe]", "recipe file; not with --resume, which reads the run's own")
    .option(
      "--set <key=value>",
      "override a recipe key (repeatable)",
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option("--out <folder>", "run folder to make (default: runs/<name>-<time>)")
    .option("--resume <run>", "go on with a run after its last committed step")
    .action(async (path: string | undefined, flags: TrainFlags) => {
      await runTraining(path, flags, signal);
    });
}

/** Trains and returns the run folder's path. */
export async function runTraining(path: string | undefined, flags: TrainFlags, signal: AbortSignal): Promise<string> {
  const opened = await openTrainingRun(await requestOf(path, flags, signal));
  const { recipe, run, engine } = opened;
  const reporter = stepReporter(recipe, run, opened.sandbox.tier, engine.current.info);
  try {
    await train({
      ...opened,
      policyFor: (client) => enginePolicy({ client, pixels: recipe.engine.pixels }),
      onStep: (result) => reporter.step(result),
      onEvaluation: (record) => reporter.evaluation(record),
      onRestart: (error, fromStep) => reporter.restart(error, fromStep),
      signal,
    });
    reporter.finish();
  } catch (error) {
    reporter.stopped();
    throw error;
  } finally {
    await opened.close();
  }
  return run.path;
}

async function requestOf(path: string | undefined, flags: TrainFlags, signal: AbortSignal): Promise<OpenRequest> {
  if (flags.resume !== undefined) return resumeRequest(path, flags, flags.resume, signal);
  if (path === undefined) {
    throw new ConfigError("config.no_recipe", "no recipe given", {
      hint: "For example: varft train recipes/tiny-rotation.yaml",
    });
  }
  const recipe = await loadRecipe(path, flags.set);
  const openRun = (manifest: RunManifest): Promise<RunFolder> =>
    RunFolder.create(flags.out ?? newRunPath(recipe.name), manifest);
  return { recipe, recipePath: path, openRun, signal };
}

async function resumeRequest(
  path: string | undefined,
  flags: TrainFlags,
  folder: string,
  signal: AbortSignal,
): Promise<OpenRequest> {
  if (path !== undefined || flags.set.length > 0 || flags.out !== undefined) {
    throw new ConfigError(
      "config.resume_alone",
      "--resume takes no recipe, --set or --out: the run goes on as it began",
      {
        hint: `varft train --resume ${folder}`,
      },
    );
  }
  const manifest = await RunFolder.manifest(folder);
  const recipe = recipeSchema.parse(manifest["recipe"]);
  const openRun = async ({ pins }: RunManifest): Promise<RunFolder> => {
    refuseOtherPins(manifest["pins"], pins, folder);
    const run = await RunFolder.open(folder);
    await run.resume("command");
    process.stdout.write(`${style("cyan", "resuming")} ${run.path} after step ${run.committed?.step ?? 0}\n`);
    return run;
  };
  return { recipe, recipePath: String(manifest["recipePath"]), openRun, signal };
}
