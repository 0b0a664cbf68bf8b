/**
 * The table by kind as plain data: one truth for the terminal and the page.
 */
import type { Interval, Report, Result } from "./report.ts";

export interface TableColumn {
  key: "before" | "after" | "withoutTools" | "supervised";
  title: string;
  /** One sentence for whoever reads the column. */
  meaning: string;
}

export const TABLE_COLUMNS: readonly TableColumn[] = [
  { key: "before", title: "before", meaning: "The cold start: the policy that reinforcement learning began with." },
  { key: "after", title: "after", meaning: "The same policy after reinforcement learning, tools live." },
  {
    key: "withoutTools",
    title: "no tools",
    meaning: "The policy of “after” with its tools switched off: its code is accepted, and nothing runs.",
  },
  {
    key: "supervised",
    title: "supervised",
    meaning: "The control: the cold start, trained on with demonstrations for the same compute instead.",
  },
];

/** Scores in [0, 1], each with its 95% interval. */
export interface TableCell {
  em: number;
  emInterval: Interval;
  f1: number;
  f1Interval: Interval;
}

export interface TableRow {
  /** A kind of task; `all` in the last row. */
  kind: string;
  /** Tasks. */
  count: number;
  /** `supervised` is null in every row of a run without that control. */
  cells: { before: TableCell; after: TableCell; withoutTools: TableCell; supervised: TableCell | null };
}

/** One row a kind, in the order of the tasks, then `all`. */
export function tableRows(report: Report): TableRow[] {
  const { before, after, withoutTools, supervised } = report;
  const row = (kind: string, count: number, cell: (result: Result) => TableCell): TableRow => ({
    kind,
    count,
    cells: {
      before: cell(before),
      after: cell(after),
      withoutTools: cell(withoutTools),
      supervised: supervised === undefined ? null : cell(supervised),
    },
  });
  const kinds = Object.entries(after.countByKind).map(([kind, count]) => row(kind, count, cellOf(kind)));
  return [
    ...kinds,
    row("all", after.count, ({ em, emInterval, f1, f1Interval }) => ({ em, emInterval, f1, f1Interval })),
  ];
}

function cellOf(kind: string): (result: Result) => TableCell {
  return (result) => ({
    em: result.byKind[kind]!,
    emInterval: result.emIntervalByKind[kind]!,
    f1: result.f1ByKind[kind]!,
    f1Interval: result.f1IntervalByKind[kind]!,
  });
}
