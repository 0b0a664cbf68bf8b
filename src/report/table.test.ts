import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildReport } from "./build.ts";
import { shownEpisodes } from "./episodes.ts";
import { readInputs, type ReportInputs } from "./inputs.ts";
import { tableRows } from "./table.ts";
import { writeSmallRun } from "./testing/small-run.ts";

let folder: string;
let inputs: ReportInputs;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-table-"));
  await writeSmallRun(join(folder, "run"), { supervised: false });
  inputs = await readInputs(join(folder, "run"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("tableRows", () => {
  it("is a row a kind in the order of the tasks, then all", () => {
    const rows = tableRows(buildReport(inputs));
    expect(rows.map(({ kind, count }) => [kind, count])).toEqual([
      ["text-none", 2],
      ["text-dark", 2],
      ["all", 4],
    ]);
    expect(rows[1]?.cells.after).toEqual({ em: 0.5, emInterval: [0, 1], f1: 0.5, f1Interval: [0, 1] });
    expect(rows[2]?.cells.before).toMatchObject({ em: 0.25, emInterval: [0, 0.75], f1: 0.375 });
    expect(rows.map(({ cells }) => cells.supervised)).toEqual([null, null, null]);
  });
});

describe("shownEpisodes", () => {
  it("are the first two right and the first wrong of each kind, beside the same task before", () => {
    const shown = shownEpisodes(inputs.finals);
    expect(
      shown.map(({ after, before }) => [after.rollout.taskId, after.em, before.rollout.taskId, before.em]),
    ).toEqual([
      ["text/t0", 1, "text/t0", 1],
      ["text/t1", 1, "text/t1", 0],
      ["text/t2", 1, "text/t2", 0],
      ["text/t3", 0, "text/t3", 0],
    ]);
  });
});
