import { describe, expect, it, vi } from "vitest";
import { RESULTS_VERSION, type Results } from "../../experiments/results.ts";
import { experimentLines, finishedLine, placeTitle, startLine } from "./experiment.ts";
import { displayWidth } from "./width.ts";

const PLACE = { label: "training.learningRate=2e-4", seed: 11, number: 2, count: 4 };
const plain = (_: string, text: string): string => text;
const HOSTILE = `a=${"x".repeat(80)}\u001b[2J`;

const RESULTS: Results = {
  version: RESULTS_VERSION,
  name: "small",
  measure: { source: "held-out", metric: "exact_match", split: "validation" },
  tasks: 4,
  keys: ["a"],
  seeds: [1],
  settings: [
    {
      values: { a: HOSTILE.slice(2) },
      seeds: [1],
      score: { mean: 0.5, overSeeds: null, overTasks: [0.25, 0.75] },
      reward: { mean: 1, overSeeds: null },
      difference: null,
    },
  ],
  runs: [],
  seconds: { total: 1, settings: [1], runs: [] },
};

describe("lines of an experiment", () => {
  it("say which run of how many, and what is left", () => {
    expect(placeTitle(PLACE)).toBe("run 2/4 · training.learningRate=2e-4 · seed 11");
    expect(startLine(PLACE, 90, plain)).toContain("about 1 min 30 s left for all");
    expect(startLine(PLACE, null, plain)).not.toContain("left");
    const measured = { score: 0.25, seconds: 3, byTask: new Map(), reward: 0, steps: 1 };
    expect(finishedLine(PLACE, measured, true, "f1")).toBe(`${placeTitle(PLACE)} · finished before: f1 0.250, 3.0 s`);
  });

  it("never let a value steer the terminal, and cut the table only where it is drawn", () => {
    const draw = (isTTY: boolean): string[] => experimentLines(RESULTS, "runs/x", { isTTY, columns: 60 }, plain);
    expect(draw(false).join("\n")).not.toContain("\u001b");
    const row = draw(false).find((line) => line.startsWith("a=x"));
    expect(row).toContain("0.500  0.250 to 0.750");
    expect(displayWidth(row ?? "")).toBeGreaterThan(60);
    vi.stubEnv("CI", "");
    vi.stubEnv("TERM", "xterm");
    const cut = draw(true).find((line) => line.startsWith("a=x"));
    expect(displayWidth(cut ?? "")).toBe(60);
    expect(placeTitle({ ...PLACE, label: HOSTILE })).not.toContain("\u001b");
  });
});
