/**
 * `varft rescore RUN`: scores every rollout of a run again, with changed verifiers or weights, from its records and images alone.
 */
import { Command } from "commander";
import { rescoreRun } from "../compose/rescored-run.ts";
import { progress } from "../terminal/progress.ts";
import { rescoreTable } from "../terminal/rescore-table.ts";
import { style } from "../terminal/style.ts";

interface RescoreFlags {
  set: string[];
  out?: string;
  ask: boolean;
}

export function rescoreCommand(signal: AbortSignal): Command {
  return new Command("rescore")
    .description("Score every rollout of a run again with changed verifiers or weights, without sampling or tools.")
    .argument("<run>", "run folder of varft train")
    .option(
      "--set <rewards...=value>",
      "another weight or option, for example rewards.format=0.2 (repeatable)",
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option("--out <file>", "scores file to write (default: the next free <run>/rescores/001.jsonl)")
    .option("--ask", "ask the judge or the sentence encoder for what the run holds no evidence of", false)
    .action((run: string, flags: RescoreFlags) => rescoreAndPrint(run, flags, signal));
}

async function rescoreAndPrint(run: string, { set, out, ask }: RescoreFlags, signal: AbortSignal): Promise<void> {
  let bar: ReturnType<typeof progress> | null = null;
  const onScored = (done: number, total: number): void => {
    bar ??= progress("scoring again", total);
    bar.update(done, "rollouts");
  };
  const { rescored, path } = await rescoreRun({
    run,
    sets: set,
    ...(out === undefined ? {} : { out }),
    ask,
    onScored,
    signal,
  });
  (bar as ReturnType<typeof progress> | null)?.finish(`${rescored.length} rollouts`);
  for (const line of rescoreTable(rescored)) process.stdout.write(`${line}\n`);
  process.stdout.write(`${style("cyan", "scores")} ${path}\n`);
}
