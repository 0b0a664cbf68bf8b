/**
 * What a person sees of a training run: a line per step with reward parts and seconds by phase, one episode now and then.
 */
import type { VarftError } from "../../core/errors.ts";
import type { EvaluationRecord } from "../../core/records.ts";
import type { EngineInfo } from "../../engine/wire.ts";
import type { RunFolder } from "../../runs/run-folder.ts";
import type { Recipe } from "../../training/recipe/schema.ts";
import type { StepResult } from "../../training/step.ts";
import { oneLine } from "./printable.ts";
import { duration } from "./progress.ts";
import { style } from "./style.ts";

export interface StepReporter {
  step(result: StepResult): void;
  evaluation(record: EvaluationRecord): void;
  restart(error: VarftError, fromStep: number): void;
  finish(): void;
  /** The run ends early, by an error or an interrupt: says how to go on. */
  stopped(): void;
}

export function stepReporter(recipe: Recipe, run: RunFolder, tier: string, info: EngineInfo): StepReporter {
  const { steps, groupSize } = recipe.training;
  const perStep = recipe.training.tasksPerStep;
  const tasksPerStep =
    typeof perStep === "number" ? perStep : Object.values(perStep).reduce((sum, count) => sum + count, 0);
  const names = Object.keys(recipe.rewards);
  const started = performance.now();
  const firstStep = (run.committed?.step ?? 0) + 1;
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const millions = (info.model.parameters / 1e6).toFixed(2);
  write(
    `${style("bold", recipe.name)}: ${info.model.architecture}, ${millions} M parameters, ${info.device} ${info.dtype}; ${tasksPerStep} tasks x ${groupSize} rollouts a step; code in the ${tier} sandbox`,
  );
  write(
    style(
      "dim",
      `${"step".padStart(9)}  reward  ${names.join("  ")}  code ok  grad  |trainer-sampler|  seconds (rollouts + update)  left`,
    ),
  );
  return {
    step({ episodes, update }) {
      const parts = names.map((name) => (update.rewardParts[name]?.toFixed(2) ?? "-").padStart(name.length));
      const runs = episodes.flatMap(({ record }) => record.turns.flatMap((turn) => turn.toolRuns));
      const worked = runs.filter((one) => one.status === "ok").length;
      const { rollouts = 0, update: updating = 0 } = update.seconds;
      const done = update.step - firstStep + 1;
      const left = ((performance.now() - started) / 1000 / done) * (steps - update.step);
      write(
        [
          `${update.step}/${steps}`.padStart(9),
          update.rewardMean.toFixed(3).padStart(6),
          ...parts,
          `${worked}/${runs.length}`.padStart(7),
          update.gradNorm.toFixed(2).padStart(4),
          update.mismatch.max.toExponential(0).padStart(17),
          `${(rollouts + updating).toFixed(1)} (${rollouts.toFixed(1)} + ${updating.toFixed(1)})`.padStart(27),
          duration(left),
        ].join("  "),
      );
      if (update.step === firstStep || update.step === steps) showExample(episodes, write);
    },
    evaluation({ step, split, count, scores, byKind, seconds: { total = 0 } }) {
      const show = (means: Record<string, number | null>): string =>
        Object.entries(means)
          .map(([name, mean]) => `${name} ${mean?.toFixed(3) ?? "-"}`)
          .join(", ");
      write(
        style(
          "cyan",
          `held-out after step ${step}: ${show(scores)} (${count} tasks of ${split}, greedy, ${duration(total)})`,
        ),
      );
      for (const [kind, one] of Object.entries(byKind)) {
        write(style("dim", `          ${kind.padEnd(14)} ${show(one.scores)} (${one.count})`));
      }
    },
    restart(error, fromStep) {
      write(
        `${style("yellow", "worker lost")} ${oneLine(error.message, 100)}; starting it again and repeating from step ${fromStep}`,
      );
    },
    stopped() {
      write(`stopped after step ${run.committed?.step ?? 0}; go on with: varft train --resume ${run.path}`);
    },
    finish() {
      write(`${style("bold", "done")} in ${duration((performance.now() - started) / 1000)}; run folder ${run.path}`);
      write(
        `next: varft train --resume ${run.path}   (a finished run stays as it is)\n      ${run.recordsPath} holds every rollout, score and update`,
      );
    },
  };
}

/** The episode that used tools the most: the one most worth a look. */
function showExample(episodes: StepResult["episodes"], write: (line: string) => void): void {
  const runsOf = (episode: StepResult["episodes"][number]): number =>
    episode.record.turns.flatMap((turn) => turn.toolRuns).length;
  const best = [...episodes].sort((a, b) => runsOf(b) - runsOf(a))[0];
  if (best === undefined) return;
  write(
    style(
      "dim",
      `          e.g. ${best.record.id}: ${best.record.turns.map((turn) => oneLine(turn.text, 60)).join(" | ")} → ${best.record.stop}`,
    ),
  );
}
