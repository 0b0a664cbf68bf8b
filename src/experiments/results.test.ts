import { describe, expect, it } from "vitest";
import { EXPERIMENT_VERSION, plannedRuns, type Experiment } from "./folder.ts";
import type { MeasuredRun } from "./measure.ts";
import { buildResults, resultsSchema } from "./results.ts";
import { csv, markdown, tableCells } from "./table.ts";

const setting = (value: string): Experiment["settings"][number] => ({
  values: { "a.b": value },
  recipe: { name: "small", seed: 1 },
  pins: {},
});
const EXPERIMENT: Experiment = {
  version: EXPERIMENT_VERSION,
  name: "small",
  recipePath: "/a/small.yaml",
  sets: [],
  keys: ["a.b"],
  seeds: [1, 2],
  measure: { source: "held-out", metric: "exact_match", split: "validation" },
  settings: [setting("x"), setting('"|,*"')],
};

const run = (scores: readonly (number | null)[], reward: number, seconds = 10): MeasuredRun => ({
  score: scores.reduce<number>((sum, score) => sum + (score ?? 0), 0) / scores.filter((score) => score !== null).length,
  byTask: new Map(scores.map((score, index) => [`t${index}`, score])),
  reward,
  steps: 4,
  seconds,
});
/** Seed 1 of both settings, then seed 2. */
const MEASURED = [run([1, 0], 1), run([0, 0], 0.5), run([1, 1], 1), run([1, 0], 1, 20)];

describe("plannedRuns", () => {
  it("goes seed by seed over all settings", () => {
    expect(plannedRuns(EXPERIMENT).map(({ folder }) => folder)).toEqual([
      "runs/01-seed-1",
      "runs/02-seed-1",
      "runs/01-seed-2",
      "runs/02-seed-2",
    ]);
  });
});

describe("buildResults", () => {
  it("of two settings, two seeds and two tasks is what a hand computes", () => {
    const results = buildResults(EXPERIMENT, MEASURED);
    expect(resultsSchema.parse(results)).toEqual(results);
    const [first, second] = results.settings;
    // Scores .5 and 1: .75 ± 12.7062 × .25. Tasks 1 and .5: a draw of two has the mean .5 or 1 in a quarter of the cases each.
    expect(first?.score).toMatchObject({ mean: 0.75, overTasks: [0.5, 1] });
    expect(first?.score?.overSeeds?.[0]).toBeCloseTo(0.75 - 3.17655, 5);
    expect(first?.difference).toBeNull();
    expect(first?.reward).toEqual({ mean: 1, overSeeds: [1, 1] });
    // Lower by .5 for each seed and on each task: paired, nothing varies.
    expect(second?.difference).toEqual({ mean: -0.5, overSeeds: [-0.5, -0.5], overTasks: [-0.5, -0.5] });
    expect(second?.reward?.mean).toBe(0.75);
    expect(results.seconds).toEqual({ total: 50, settings: [10, 15], runs: [10, 10, 10, 20] });
    expect(Object.keys(results).at(-1)).toBe("seconds");
  });

  it("of an experiment that is under way compares the seeds that both settings have", () => {
    const { settings, tasks, runs } = buildResults(EXPERIMENT, [MEASURED[0]!, null, MEASURED[2]!, MEASURED[3]!]);
    expect(settings[1]).toMatchObject({ seeds: [2], score: { mean: 0.5, overSeeds: null } });
    expect(settings[1]?.difference).toMatchObject({ mean: -0.5, overSeeds: null });
    expect(tasks).toBe(2);
    expect(runs[1]).toMatchObject({ finished: false, score: null, steps: null });
    const none = buildResults(EXPERIMENT, [null, null, null, null]);
    expect(none.settings[1]).toMatchObject({ seeds: [], score: null, reward: null, difference: null });
  });

  it("compares no two settings that share no seed", () => {
    expect(buildResults(EXPERIMENT, [MEASURED[0]!, null, null, MEASURED[3]!]).settings[1]?.difference).toBeNull();
  });

  it("leaves out a task where the metric does not apply, in one setting or in both", () => {
    const measured = [run([1, null], 1), run([0.5, 1], 1), run([1, null], 1), run([0.5, null], 1)];
    const [first, second] = buildResults(EXPERIMENT, measured).settings;
    expect(first?.score?.overTasks).toEqual([1, 1]);
    // Tasks .5 and 1, the second by one seed alone.
    expect(second?.score?.overTasks).toEqual([0.5, 1]);
    expect(second?.difference?.overTasks).toEqual([-0.5, -0.5]);
    const apart = buildResults(EXPERIMENT, [run([1, null], 1), run([null, 1], 1), null, null]);
    expect(apart.settings[1]?.difference).toMatchObject({ mean: 0, overTasks: null });
  });

  it("refuses runs over other tasks", () => {
    expect(() => buildResults(EXPERIMENT, [MEASURED[0]!, run([1, 0, 0], 1), null, null])).toThrow(
      expect.objectContaining({ code: "data.tasks_differ" }) as Error,
    );
  });
});

describe("the table", () => {
  it("is a row a setting, without columns that would be empty", () => {
    const results = buildResults(EXPERIMENT, MEASURED);
    const [titles, first, second] = tableCells(results);
    const score = ["exact_match", "95% seeds", "95% tasks"];
    const difference = ["difference", "95% seeds", "95% tasks"];
    expect(titles).toEqual(["setting", ...score, ...difference, "reward", "seeds", "seconds"]);
    expect(first?.slice(0, 5)).toEqual(["a.b=x", "0.750", "-2.427 to 3.927", "0.500 to 1.000", "-"]);
    expect(second?.slice(4)).toEqual(["-0.500", "-0.500 to -0.500", "-0.500 to -0.500", "0.750", "2/2", "15.0"]);
    const oneSeed = buildResults({ ...EXPERIMENT, seeds: [1] }, MEASURED.slice(0, 2));
    expect(tableCells(oneSeed)[0]).not.toContain("95% seeds");
  });

  it("keeps a value's characters out of Markdown and CSV syntax", () => {
    const results = buildResults(EXPERIMENT, MEASURED);
    const rows = markdown(results)
      .split("\n")
      .filter((line) => line.startsWith("|"));
    expect(rows).toHaveLength(4);
    expect(new Set(rows.map((row) => row.replace(/\\./g, "").split("|").length)).size).toBe(1);
    expect(rows[3]).toContain('a.b="\\|,\\*"');
    const [titles, ...lines] = csv(results).trimEnd().split("\r\n");
    expect(titles?.startsWith("a.b,seeds,score,score_seeds_low")).toBe(true);
    expect(lines[0]?.startsWith("x,2,0.75,")).toBe(true);
    expect(lines[1]?.startsWith('"""|,*""",2,0.25,')).toBe(true);
    expect(titles?.split(",")).toHaveLength(lines[0]!.split(",").length);
  });

  it("says how many runs are missing", () => {
    expect(markdown(buildResults(EXPERIMENT, [MEASURED[0]!, null, null, null]))).toContain("1 of 4 runs");
  });
});
