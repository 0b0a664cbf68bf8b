/**
 * What a person sees of an experiment: which run of how many, and the table at the end.
 */
import { join } from "node:path";
import type { MeasuredRun } from "../../experiments/measure.ts";
import type { Results } from "../../experiments/results.ts";
import { meanings, tableCells } from "../../experiments/table.ts";
import { alignedColumns } from "./columns.ts";
import { canRedraw } from "./live-region.ts";
import { duration } from "./pace.ts";
import { oneLine } from "./printable.ts";
import type { Paint } from "./style.ts";
import { fit } from "./width.ts";

/** A run and its place among all. */
export interface Place {
  label: string;
  seed: number;
  /** From 1. */
  number: number;
  count: number;
}

const LABEL = 60;

/** `run 2/4 · training.learningRate=2e-4 · seed 11` */
export function placeTitle({ label, seed, number, count }: Place): string {
  return `run ${number}/${count} · ${oneLine(label, LABEL)} · seed ${seed}`;
}

/** @param secondsLeft of this run and those after it; null while unknown */
export function startLine(place: Place, secondsLeft: number | null, paint: Paint): string {
  const left = secondsLeft === null ? "" : ` · about ${duration(secondsLeft)} left for all`;
  return `\n${paint("bold", placeTitle(place))}${left}`;
}

/** @param before the run was finished when the command began */
export function finishedLine(place: Place, { score, seconds }: MeasuredRun, before: boolean, metric: string): string {
  return `${placeTitle(place)} · ${before ? "finished before" : "finished"}: ${metric} ${score.toFixed(3)}, ${duration(seconds)}`;
}

/** The table, what its columns mean, and where the files are. A terminal's width cuts it; `experiment.md` holds it whole. */
export function experimentLines(
  results: Results,
  path: string,
  out: Pick<NodeJS.WriteStream, "isTTY" | "columns">,
  paint: Paint,
): string[] {
  const cells = tableCells(results).map(([first = "", ...rest]) => [oneLine(first, LABEL), ...rest]);
  const [titles = "", ...rows] = alignedColumns(cells);
  const row = (line: string): string => (canRedraw(out) ? fit(line, out.columns || 80) : line);
  return [
    "",
    paint("dim", row(titles)),
    ...rows.map(row),
    ...meanings(results).map((sentence) => paint("dim", sentence)),
    "",
    `${paint("cyan", "table")}    ${join(path, "experiment.md")}, ${join(path, "experiment.csv")}`,
    `${paint("cyan", "results")}  ${join(path, "results.json")}; a folder a run in ${join(path, "runs")}`,
  ];
}
