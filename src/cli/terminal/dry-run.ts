/**
 * What a dry run found, as lines: the resolved recipe, then a summary and the memory table, so that the last screen is what matters.
 */
import { stringify } from "yaml";
import type { DryRun } from "../compose/dry-run.ts";
import { oneLine } from "./printable.ts";
import { style } from "./style.ts";

const GIB = 2 ** 30;
const WIDTH = 110;

/** `command` is what to run next. */
export function dryRunLines(found: DryRun, command: string): string[] {
  const lines = [style("dim", stringify(found.recipe).trimEnd()), "", ...summary(found)];
  if (found.model !== null) lines.push("", ...memoryTable(found, found.model));
  const { model } = found;
  const missing = model !== null && !model.present ? `put the checkpoint at ${model.path}, then ` : "";
  return [...lines, "", `${style("cyan", "next")} ${missing}${command}`];
}

const row = (name: string, text: string): string => `${style("bold", name.padEnd(10))}${oneLine(text, WIDTH)}`;
const count = (value: number): string => value.toLocaleString("en-US");

function summary({ recipe, inputs, kinds, tasksPerStep, completionsPerStep, model }: DryRun): string[] {
  const { training, sampling, environment } = recipe;
  const { tasks, verifiers, prompts } = inputs;
  const skipped = tasks.skipped ?? [];
  const passes = ((training.steps * tasksPerStep) / tasks.size).toFixed(1);
  const byKind = Object.entries(kinds).map(([kind, many]) => `${kind} ${count(many)}`);
  return [
    row("tasks", `${count(tasks.size)} of ${tasks.name}: ${byKind.join(", ")}`),
    ...skippedLines(skipped),
    row(
      "steps",
      `${count(training.steps)} x ${tasksPerStep} tasks x ${training.groupSize} rollouts; ${passes} passes over the tasks`,
    ),
    row(
      "tokens",
      `a step samples at most ${count(completionsPerStep * sampling.maxTokens)} in ${count(completionsPerStep)} completions`,
    ),
    ...(model === null
      ? [
          row(
            "model",
            `the worker at ${"worker" in recipe.model ? recipe.model.worker : ""}; its memory is not predicted`,
          ),
        ]
      : [
          row(
            "prompt",
            `at most about ${count(model.promptTokens)} tokens in step 1, ${count(model.imageTokens)} of them an image's`,
          ),
          row("model", `${count(model.memory.total)} weights, ${count(model.memory.trained)} trained; ${model.source}`),
        ]),
    row("prompts", `${prompts.name}, ${environment.mode} mode`),
    row("rewards", verifiers.map(({ verifier, weight }) => `${verifier.name} ${weight}`).join(", ")),
  ];
}

/** How many records were left out, and why the first was. */
export function skippedLines(skipped: readonly Error[]): string[] {
  const [first] = skipped;
  if (first === undefined) return [];
  const many = `${count(skipped.length)} bad ${skipped.length === 1 ? "record" : "records"} left out`;
  return [row("skipped", `${many}; the first: ${first.message}`)];
}

function memoryTable({ recipe }: DryRun, { memory }: NonNullable<DryRun["model"]>): string[] {
  const lines = memory.parts
    .filter(({ bytes }) => bytes > 0)
    .map(({ name, bytes, formula, during }) => {
      const when = during === "always" ? "" : ` (${during})`;
      return `  ${name.padEnd(18)}${gib(bytes)}  ${formula}${when}`;
    });
  const how = recipe.engine.gradientCheckpointing ? "gradient checkpointing" : "no gradient checkpointing";
  return [
    style("bold", `memory of one worker, ${recipe.engine.dtype}, ${how}; an estimate`),
    ...lines,
    `  ${style("bold", "peak".padEnd(18))}${gib(memory.peak)}  what is always there, and the larger of update and sampling`,
  ];
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(bytes < GIB / 10 ? 3 : 1).padStart(8)} GiB`;
}
