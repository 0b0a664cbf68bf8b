/**
 * The one table of an experiment: as text cells for the terminal and Markdown, as plain numbers for CSV.
 */
import { settingLabel } from "./sweep.ts";
import type { Estimate, Results, SettingResult } from "./results.ts";

const NONE = "-";
const WITHIN = "95%";

/** Titles, then a row a setting. Columns that would be empty in every row are left out. */
export function tableCells(results: Results): string[][] {
  const { measure, seeds } = results;
  const columns: [title: string, cell: (setting: SettingResult, index: number) => string][] = [
    ["setting", ({ values }) => settingLabel(values)],
    [measure.metric, ({ score }) => figure(score?.mean)],
    [`${WITHIN} seeds`, ({ score }) => ends(score?.overSeeds)],
    [`${WITHIN} tasks`, ({ score }) => ends(score?.overTasks)],
    ["difference", ({ difference }) => signed(difference?.mean)],
    [`${WITHIN} seeds`, ({ difference }) => ends(difference?.overSeeds)],
    [`${WITHIN} tasks`, ({ difference }) => ends(difference?.overTasks)],
    ["reward", ({ reward }) => figure(reward?.mean)],
    ["seeds", (setting) => `${setting.seeds.length}/${seeds.length}`],
    ["seconds", (_, index) => results.seconds.settings[index]?.toFixed(1) ?? NONE],
  ];
  const shown = columns.filter(([, cell]) => results.settings.some((setting, index) => cell(setting, index) !== NONE));
  return [
    shown.map(([title]) => title),
    ...results.settings.map((setting, index) => shown.map(([, cell]) => cell(setting, index))),
  ];
}

function figure(value: number | undefined): string {
  return value === undefined ? NONE : value.toFixed(3);
}

function signed(value: number | undefined): string {
  return value === undefined ? NONE : `${value < 0 ? "" : "+"}${value.toFixed(3)}`;
}

function ends(interval: readonly [number, number] | null | undefined): string {
  return interval ? `${interval[0].toFixed(3)} to ${interval[1].toFixed(3)}` : NONE;
}

/** What the numbers of the table are, one sentence each. */
export function meanings({ measure, tasks, seeds, runs }: Results): string[] {
  const { source, metric, split } = measure;
  const finished = runs.filter((run) => run.finished).length;
  const scored =
    source === "report"
      ? "in the final evaluation after training"
      : "in the last held-out evaluation of training (the last, not the best)";
  const over = tasks === null ? "" : ` over ${tasks} tasks`;
  return [
    `${metric}: mean over seeds, ${scored},${over} of ${split}, greedy.`,
    seeds.length > 1
      ? "95% seeds: Student's t, how far the mean would move with other seeds; few seeds give wide intervals, and 0 and 1 do not cut them."
      : "One seed tells nothing about other seeds: give several with --seeds.",
    "95% tasks: bootstrap, how far the mean would move with other tasks of the kind. Neither interval holds what the other varies.",
    "difference: to the first setting, paired by seed and by task; each by itself at 95%.",
    "reward: training rollouts, mean over the last tenth of the steps. seconds: steps and held-out evaluations of a run.",
    ...(finished < runs.length ? [`${finished} of ${runs.length} runs are finished.`] : []),
  ];
}

/** A page with the table and the meanings of its columns. */
export function markdown(results: Results): string {
  const [titles = [], ...rows] = tableCells(results);
  const line = (cells: readonly string[]): string => `| ${cells.map(inCell).join(" | ")} |`;
  return [
    `# ${results.name}`,
    "",
    line(titles),
    `|${titles.map((_, column) => (column === 0 ? " :- |" : " -: |")).join("")}`,
    ...rows.map(line),
    "",
    ...meanings(results).map((sentence) => `- ${inCell(sentence)}`),
    "",
  ].join("\n");
}

/** Values are a user's YAML: no character of theirs may end a cell or become markup. */
function inCell(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\|`*_<>[\]&]/g, "\\$&");
}

/** RFC 4180, a column for each swept key; numbers in full, empty where there is none. Wall clock is the last column. */
export function csv({ keys, settings, seconds }: Results): string {
  const estimate = (name: string, of: (setting: SettingResult) => Estimate | null): Column[] => [
    [name, (setting) => of(setting)?.mean],
    [`${name}_seeds_low`, (setting) => of(setting)?.overSeeds?.[0]],
    [`${name}_seeds_high`, (setting) => of(setting)?.overSeeds?.[1]],
    [`${name}_tasks_low`, (setting) => of(setting)?.overTasks?.[0]],
    [`${name}_tasks_high`, (setting) => of(setting)?.overTasks?.[1]],
  ];
  const columns: Column[] = [
    ...keys.map((key): Column => [key, ({ values }) => values[key]]),
    ["seeds", (setting) => setting.seeds.length],
    ...estimate("score", ({ score }) => score),
    ...estimate("difference", ({ difference }) => difference),
    ["reward", ({ reward }) => reward?.mean],
    ["reward_seeds_low", ({ reward }) => reward?.overSeeds?.[0]],
    ["reward_seeds_high", ({ reward }) => reward?.overSeeds?.[1]],
    ["seconds", (_, index) => seconds.settings[index] ?? undefined],
  ];
  const rows = [
    columns.map(([title]) => title),
    ...settings.map((setting, index) => columns.map(([, cell]) => String(cell(setting, index) ?? ""))),
  ];
  return rows.map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

type Column = [title: string, cell: (setting: SettingResult, index: number) => string | number | undefined];

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
