/**
 * `varft report RUN`: what a finished training run is worth. Makes the final evaluations that are missing, then both report files.
 */
import { join } from "node:path";
import { Command } from "commander";
import { writeReport } from "../../report/write.ts";
import { evaluateRun } from "../compose/reported-run.ts";
import { printReport } from "../terminal/report.ts";

export function reportCommand(signal: AbortSignal): Command {
  return new Command("report")
    .description("Evaluate a finished run on held-out tasks, before and after, and write report.json and report.html.")
    .argument("<run>", "run folder of varft train")
    .action((run: string) => runReport(run, [`varft train --help`], signal));
}

/** Writes and shows the report; `next` are commands to try now. */
export async function runReport(run: string, next: readonly string[], signal: AbortSignal): Promise<void> {
  await evaluateRun(run, signal);
  const report = await writeReport(run);
  printReport(report, { run, page: join(run, "report.html"), next });
}
