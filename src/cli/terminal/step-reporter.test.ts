import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { EngineError } from "../../core/errors.ts";
import type { EngineInfo } from "../../engine/wire.ts";
import { DiskImageStore } from "../../runs/images.ts";
import { recipeSchema } from "../../training/recipe/schema.ts";
import { closeLiveRegion } from "./live-region.ts";
import { stepReporter, type StepReporter } from "./step-reporter.ts";
import { FakeTerminal } from "./testing/fake-terminal.ts";
import { evaluationOf, stepOf } from "./testing/run.ts";

const recipe = recipeSchema.parse({
  name: "quickstart",
  model: { path: "m" },
  tasks: { set: "damaged-digits" },
  training: { steps: 2, tasksPerStep: { none: 7, dark: 2 } },
  evaluation: { every: 2, tasks: 512 },
  rewards: { exact_match: 1, format: 0.5 },
});
const run = {
  path: "runs/q",
  recordsPath: "runs/q/records.jsonl",
  committed: null,
  images: new DiskImageStore("images"),
};
const info = {
  model: { architecture: "Qwen2_5_VLForConditionalGeneration", parameters: 1_730_000 },
  device: "cpu",
  dtype: "float32",
} as EngineInfo;
const PHASES = { rollouts: 2, scores: 0.1, update: 2.9 };

let clock = 0;
beforeEach(() => {
  clock = 0;
  vi.useFakeTimers();
  for (const [name, value] of Object.entries({ TERM: "xterm", CI: "", NO_COLOR: "1", LC_ALL: "C.UTF-8" })) {
    vi.stubEnv(name, value);
  }
});
afterEach(() => {
  closeLiveRegion();
  vi.useRealTimers();
});

/** Two steps, an evaluation before and after, a worker that dies in the middle. */
function tell(reporter: StepReporter): void {
  const at = (seconds: number): number => (clock = seconds * 1000);
  reporter.phase(0, "evaluation");
  at(4);
  reporter.evaluation(evaluationOf(0, { none: 0.98, dark: 0.02 }));
  reporter.phase(1, "rollouts");
  reporter.episodes(1, 2);
  at(9);
  reporter.step(
    stepOf(1, [{ id: "1/a/0", kind: "dark", code: "x = 1\u001b[2J", question: "q\u001b]0;t\u0007" }], PHASES),
  );
  reporter.restart(new EngineError("engine.died", "killed\u001b[2J"), 2);
  at(14);
  reporter.step(stepOf(2, [{ id: "2/a/0", kind: "none" }], PHASES));
  reporter.evaluation(evaluationOf(2, { none: 0.98, dark: 0.9 }));
}

it("writes plain lines to a pipe", () => {
  let text = "";
  const out = { isTTY: false, write: (some: string) => (text += some) !== "" } as unknown as NodeJS.WriteStream;
  const reporter = stepReporter(recipe, run, "namespaces", info, out, () => clock);
  tell(reporter);
  reporter.finish();
  const lines = text.trimEnd().split("\n");
  const images = new DiskImageStore("images");
  expect(lines.slice(0, 15)).toEqual([
    "quickstart: Qwen2_5_VL, 1.73 M parameters, cpu float32; 9 tasks x 8 rollouts a step; code in the namespaces sandbox",
    "   step  reward  tools ok  seconds         left  grad  mismatch  exact_match  format",
    "held-out after step 0: exact_match .50, format 1.0 (512 tasks, greedy, 4.0 s)",
    "        exact_match by kind: none .98, dark .02",
    "    1/2   1.500       1/1      5.0        5.0 s  0.82      3e-6          1.0     1.0",
    "        example 1/a/0 · dark · reward 1.50",
    "          q�]0;t�",
    `            in  ${images.pathOf("a".repeat(64))}`,
    "          1 problem dark · It is turned.",
    "          2 code ok 0.03 s · Repair it.",
    "              x = 1�[2J",
    `            out ${images.pathOf("b".repeat(64))}`,
    '          3 answer "482" ✓ · Now it reads well.',
    "worker lost killed�[2J; starting it again and repeating from step 2",
    "    2/2   1.500       0/0      5.0        0.0 s  0.82      3e-6          1.0     1.0",
  ]);
  expect(lines.slice(-4)).toEqual([
    "held-out after step 2: exact_match .94, format 1.0 (512 tasks, greedy, 4.0 s)",
    "        exact_match by kind: none .98, dark .90",
    "done in 14 s; run folder runs/q",
    "every rollout, score and update: runs/q/records.jsonl",
  ]);
});

it("keeps a live view below the lines of a terminal and gives the terminal back", () => {
  const terminal = new FakeTerminal(100, 40);
  const reporter = stepReporter(recipe, run, "namespaces", info, terminal.stream, () => clock);
  tell(reporter);
  vi.advanceTimersByTime(1_000);
  expect(terminal.cursorVisible).toBe(false);
  expect(terminal.unknown).toEqual([]);
  const live = terminal.text.split("\n");
  expect(live.filter((line) => line.startsWith("held-out after"))).toHaveLength(2);
  expect(live.filter((line) => line.startsWith("now "))).toEqual(["now            done"]);
  terminal.resize(60, 20);
  vi.advanceTimersByTime(1_000);
  expect(terminal.text.match(/^numerics/gm)).toHaveLength(1);
  reporter.finish();
  expect(terminal.cursorVisible).toBe(true);
  expect(terminal.text).toContain("done in 14 s; run folder runs/q");
  expect(terminal.text.match(/^reward /gm)).toHaveLength(1);
});

it("gives the terminal back when a run is stopped", () => {
  const terminal = new FakeTerminal(100, 40);
  const reporter = stepReporter(recipe, run, "namespaces", info, terminal.stream, () => clock);
  reporter.phase(0, "evaluation");
  reporter.stopped();
  expect(terminal.cursorVisible).toBe(true);
  expect(terminal.text).toMatch(/stopped after step 0; go on with: varft train --resume runs\/q$/);
});
