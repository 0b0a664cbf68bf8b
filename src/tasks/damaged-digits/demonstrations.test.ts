import { beforeAll, describe, expect, it } from "vitest";
import {
  demonstrate,
  demonstrateReading,
  FIRST_CHANCES,
  type Decision,
  type DemonstratedStep,
  type DemonstrationChances,
} from "./demonstrations.ts";
import { damagedDigits, type DamagedDigitsTask } from "./index.ts";

/** Episodes demonstrated for each task; shares below are held to four standard deviations of what they should be. */
const SEEDS = 1500;

async function taskOf(kind: string): Promise<DamagedDigitsTask> {
  return damagedDigits({ seed: 1, split: "train", size: 1, kinds: [kind] }).load(0);
}

function episodes(task: DamagedDigitsTask, chances: DemonstrationChances = FIRST_CHANCES): DemonstratedStep[][] {
  return Array.from({ length: SEEDS }, (_, seed) => demonstrate(task, { seed, chances }));
}

function decisionsOf(steps: DemonstratedStep[][], name: string): Decision[] {
  return steps.flat().flatMap(({ decisions }) => decisions.filter((decision) => decision.name === name));
}

function chosenAction(decision: Decision): unknown {
  return decision.candidates.find(({ label }) => label === decision.chosen)?.action;
}

function expectShare(hits: number, total: number, chance: number): void {
  const deviation = Math.sqrt(total * chance * (1 - chance));
  expect(Math.abs(hits - total * chance)).toBeLessThan(4 * deviation);
}

function isRight({ candidates, chosen }: Decision): boolean {
  return candidates.some(({ label, right }) => right && label === chosen);
}

describe("demonstrations of a dark image", () => {
  let task: DamagedDigitsTask;
  let steps: DemonstratedStep[][];
  beforeAll(async () => {
    task = await taskOf("dark");
    steps = episodes(task);
  });

  it("name none with .45, the right problem with .35, and share the rest among all eight", () => {
    const problems = decisionsOf(steps, "problem");
    expect(problems).toHaveLength(SEEDS);
    const named = (label: string): number => problems.filter(({ chosen }) => chosen === label).length;
    expectShare(named("none"), SEEDS, 0.475);
    expectShare(named("dark"), SEEDS, 0.375);
    for (const other of ["rotation90", "rotation180", "overexposure", "blur", "noise", "crop"])
      expectShare(named(other), SEEDS, 0.025);
  });

  it("draw the gain uniformly; two of four are right", () => {
    const rightly = steps.filter(([first]) => first?.decisions[0]?.chosen === "dark");
    const gains = decisionsOf(rightly, "gain");
    expect(gains).toHaveLength(rightly.length);
    for (const label of ["gain 2", "gain 3", "gain 6", "gain 9"])
      expectShare(gains.filter(({ chosen }) => chosen === label).length, gains.length, 0.25);
    expect(gains[0]?.candidates.filter(({ right }) => right).map(({ label }) => label)).toEqual(["gain 6", "gain 9"]);
  });

  it("have no right repair after a wrong problem", () => {
    const wrongly = decisionsOf(steps, "quadrant").flatMap(({ candidates }) => candidates);
    expect(wrongly.length).toBeGreaterThan(0);
    expect(wrongly.filter(({ right }) => right)).toEqual([]);
  });

  it("end with the right answer, after code exactly when a problem is named", () => {
    for (const episode of steps) {
      const none = episode[0]?.decisions[0]?.chosen === "none";
      expect(episode.map(({ action }) => action.type)).toEqual(
        none ? ["problem", "answer"] : ["problem", "code", "answer"],
      );
      expect(episode.at(-1)?.action).toEqual({ type: "answer", text: task.task.private.answers[0] });
    }
  });

  it("carry for the chosen candidate the very action of the step", () => {
    for (const { action, decisions } of steps.flat())
      for (const decision of decisions) expect(chosenAction(decision)).toEqual(action);
  });

  it("are a function of task, seed and chances", () => {
    expect(episodes(task)).toEqual(steps);
    expect(new Set(steps.map((episode) => JSON.stringify(episode))).size).toBeGreaterThan(10);
  });
});

it("the right quadrant comes with the chance that is asked for", async () => {
  const task = await taskOf("crop");
  const chances = { problem: { none: 0, right: 1 }, quadrantRight: 0.7 };
  const quadrants = decisionsOf(episodes(task, chances), "quadrant");
  expect(quadrants).toHaveLength(SEEDS);
  expectShare(quadrants.filter(isRight).length, SEEDS, 0.7);
});

it("a compound is one problem step with two names, and one snippet that undoes the later damage first", async () => {
  const task = await taskOf("blur+noise");
  const [steps] = episodes(task, { problem: { none: 0, right: 1 }, quadrantRight: 0.25 });
  expect(steps?.[0]?.action).toEqual({ type: "problem", problems: ["blur", "noise"] });
  expect(steps?.[1]?.decisions.map(({ name }) => name)).toEqual(["amount", "kernel"]);
  const action = steps?.[1]?.action;
  const source = action?.type === "code" ? action.source : "";
  expect(source.indexOf("medianBlur")).toBeGreaterThan(0);
  expect(source.indexOf("addWeighted")).toBeGreaterThan(source.indexOf("medianBlur"));
});

it("a half turn is no decision", async () => {
  const task = await taskOf("rotation180");
  const [steps] = episodes(task, { problem: { none: 0, right: 1 }, quadrantRight: 0.25 });
  expect(steps?.map(({ decisions }) => decisions.length)).toEqual([1, 0, 0]);
});

it("reading is the answer alone", async () => {
  const task = await taskOf("none");
  expect(demonstrateReading(task).map(({ action }) => action)).toEqual([
    { type: "answer", text: task.task.private.answers[0] },
  ]);
});
