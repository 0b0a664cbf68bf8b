/**
 * `varft sweep RECIPE --sweep KEY=VALUES --seeds LIST`: a training run for every combination, one after the other, and one table.
 */
import { Command } from "commander";
import { ConfigError, DataError, VarftError } from "../../core/errors.ts";
import { createExperiment, readExperiment } from "../../experiments/folder.ts";
import { parseSeeds, parseSweep } from "../../experiments/sweep.ts";
import { runExperiment, type RunPlace } from "../compose/experiment.ts";
import { planExperiment } from "../compose/experiment-plan.ts";
import { newRunPath } from "../compose/run-path.ts";
import { experimentLines, finishedLine, placeTitle, startLine } from "../terminal/experiment.ts";
import { reportFailure } from "../terminal/failure.ts";
import { printLine } from "../terminal/live-region.ts";
import { painter } from "../terminal/style.ts";
import { trainRun } from "./train.ts";

interface SweepFlags {
  sweep: string[];
  set: string[];
  report: boolean;
  seeds?: string;
  out?: string;
  resume?: string;
}

const collect = (value: string, all: string[]): string[] => [...all, value];

export function sweepCommand(signal: AbortSignal): Command {
  return new Command("sweep")
    .description("Train a recipe with every combination of values and seeds, and compare them in one table.")
    .argument("[recipe]", "recipe file; not with --resume")
    .option(
      "--sweep <key=values>",
      "values of a recipe key, as training.learningRate=1e-4,2e-4 (repeatable)",
      collect,
      [],
    )
    .option("--seeds <list>", "seeds of each setting, as 11,12,13 (default: the recipe's own)")
    .option("--set <key=value>", "override a recipe key in every run (repeatable)", collect, [])
    .option("--report", "compare the final evaluations of varft report, not the last held-out ones of training", false)
    .option("--out <folder>", "experiment folder to make (default: runs/<name>-sweep-<time>)")
    .option("--resume <folder>", "finish the runs of an experiment that are not finished")
    .action(async (recipe: string | undefined, flags: SweepFlags) => {
      const path = flags.resume ?? (await newExperiment(recipe, flags));
      if (flags.resume !== undefined) refuseOtherFlags(recipe, flags, path);
      await runAndPrint(path, signal);
    });
}

/** Checks every setting before it makes the folder. */
async function newExperiment(recipe: string | undefined, flags: SweepFlags): Promise<string> {
  if (recipe === undefined) {
    throw new ConfigError("config.no_recipe", "no recipe given", {
      hint: "For example: varft sweep recipes/quickstart.yaml --sweep training.learningRate=1e-4,2e-4",
    });
  }
  const experiment = await planExperiment({
    recipePath: recipe,
    sets: flags.set,
    sweeps: flags.sweep.map(parseSweep),
    seeds: flags.seeds === undefined ? null : parseSeeds(flags.seeds),
    report: flags.report,
  });
  const path = flags.out ?? newRunPath(`${experiment.name}-sweep`);
  await createExperiment(path, experiment);
  return path;
}

function refuseOtherFlags(recipe: string | undefined, flags: SweepFlags, path: string): void {
  const { sweep, set, seeds, out, report } = flags;
  if (recipe === undefined && sweep.length + set.length === 0 && seeds === undefined && out === undefined && !report)
    return;
  throw new ConfigError("config.resume_alone", "--resume takes nothing else: the experiment goes on as it began", {
    hint: `varft sweep --resume ${path}`,
  });
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

async function runAndPrint(path: string, signal: AbortSignal): Promise<void> {
  const paint = painter(process.stdout);
  const { name, settings, seeds, measure } = await readExperiment(path);
  const runs = settings.length * seeds.length;
  printLine(
    `${paint("bold", name)}: ${counted(settings.length, "setting")} x ${counted(seeds.length, "seed")}, ${counted(runs, "run")} in ${path}`,
  );
  const failures: string[] = [];
  const again = `varft sweep --resume ${path}`;
  try {
    const { results } = await runExperiment({
      path,
      train: (request, place) => trainRun(request, placeTitle(place), signal),
      onStart: (place, secondsLeft) => printLine(startLine(place, secondsLeft, paint)),
      onFinished: (place, measured, before) => printLine(finishedLine(place, measured, before, measure.metric)),
      onFailure(place: RunPlace, error: unknown) {
        reportFailure(error, false);
        failures.push(`${place.folder} (${error instanceof VarftError ? error.code : "internal error"})`);
      },
      signal,
    });
    for (const line of experimentLines(results, path, process.stdout, paint)) printLine(line);
  } catch (error) {
    if (signal.aborted) printLine(`stopped; go on with: ${again}`);
    throw error;
  }
  if (failures.length === 0) return;
  throw new DataError(
    "data.experiment_unfinished",
    `${failures.length} of ${runs} runs failed: ${failures.join(", ")}`,
    {
      hint: `Mend what was wrong, then: ${again}`,
    },
  );
}
