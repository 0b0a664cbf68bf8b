/**
 * `varft quickstart`: an agent that learns on this machine: GRPO from the shipped cold start, then the report.
 */
import { join } from "node:path";
import { Command } from "commander";
import { packageFolder } from "../../core/installation.ts";
import type { RunFlags } from "../compose/open-run.ts";
import { style } from "../terminal/style.ts";
import { runReport } from "./report.ts";
import { runTraining } from "./train.ts";

const RECIPE = join(packageFolder, "recipes/quickstart.yaml");

export function quickstartCommand(signal: AbortSignal): Command {
  return new Command("quickstart")
    .description(
      "Train a tiny agent on this machine until it repairs and reads damaged images, and report what it learnt.",
    )
    .option(
      "--set <key=value>",
      "override a key of recipes/quickstart.yaml (repeatable)",
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option("--out <folder>", "run folder to make (default: runs/quickstart-<time>)")
    .option("--resume <run>", "go on with a quickstart that was interrupted")
    .action(async (flags: RunFlags) => {
      const write = (line: string): void => void process.stdout.write(`${line}\n`);
      write(style("bold", "1/2 GRPO: task → policy → code in the sandbox → trace → reward → gradient"));
      const run = await runTraining(flags.resume === undefined ? RECIPE : undefined, flags, signal);
      write(
        `\n${style("bold", "2/2 held-out tasks: before, after, tools off, and supervised training for the same compute")}`,
      );
      await runReport(
        run,
        [
          `varft quickstart --set seed=12                        the same with other sampling noise`,
          `varft train recipes/quickstart.yaml --set training.advantageScale=group   what dividing by the deviation changes`,
          `varft sft recipes/quickstart-cold-start.yaml          the cold start, from random weights (about 40 minutes)`,
        ],
        signal,
      );
    });
}
