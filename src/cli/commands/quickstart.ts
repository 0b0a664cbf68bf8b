/**
 * `varft quickstart`: the whole thread on this machine: build a tiny model, train it by GRPO on live episodes, then put what the
 * published 7B emitted through the same environment.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { packageFolder } from "../../core/installation.ts";
import { style } from "../terminal/style.ts";
import { replay } from "./replay.ts";
import { runTraining } from "./train.ts";

/** Published transcripts, where a checkout has them beside it. */
const DEMO_DATA = join(packageFolder, "../shared/data");

export function quickstartCommand(signal: AbortSignal): Command {
  return new Command("quickstart")
    .description("Train a tiny agent end to end on this machine, then replay recorded episodes of the published 7B.")
    .option("--data <folder>", "folder that holds mat-demo/", DEMO_DATA)
    .action(async ({ data }: { data: string }) => {
      const write = (line: string): void => void process.stdout.write(`${line}\n`);
      write(style("bold", "1/2 ten GRPO steps: task → policy → sandboxed code → trace → reward → gradient"));
      const run = await runTraining(join(packageFolder, "recipes/tiny-rotation.yaml"), { set: [] }, signal);
      const transcripts = resolve(data, "mat-demo/coding_transcripts.json");
      write(
        `\n${style("bold", "2/2 what the published 7B emitted on real MAT-Coding images, in the same environment")}`,
      );
      if (existsSync(transcripts)) {
        await replay(transcripts, { parsing: "reference", boxes: "question-pixels" }, signal);
      } else {
        write(`skipped: ${transcripts} is absent (--data names another folder)`);
      }
      write(
        `\nnext:\n  npx varft train recipes/tiny-rotation.yaml --set training.steps=30\n  npx varft train --resume ${run}\n  npx varft --help`,
      );
    });
}
