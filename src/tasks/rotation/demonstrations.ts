/**
 * Demonstrations for the tiny model's warm start: whole episodes in the strict format, imperfect on purpose, so that reward has something
 * to improve: the problem is right half of the time, the repair's direction is a coin toss.
 */
import type { LoadedTask } from "../../core/task.ts";
import { SeededStream } from "../../core/seeds.ts";
import type { Action } from "../../core/step.ts";
import { ROTATION_KINDS, rotationCode } from "./rotate.ts";

export interface Demonstration {
  thought: string;
  action: Action;
}

/** The steps of one demonstrated episode. The last one answers rightly: reading is taught, diagnosing is left to chance. */
export function demonstrate({ task }: LoadedTask, seed: number): Demonstration[] {
  const stream = new SeededStream("demonstration", seed, task.id);
  const right = task.private.kind;
  const named = stream.next() < 0.5 ? right : stream.pick(ROTATION_KINDS);
  const answer: Demonstration = { thought: "read", action: { type: "answer", text: task.private.answers[0] ?? "" } };
  const problem: Demonstration = { thought: "look", action: { type: "problem", problems: [named] } };
  if (named === "none") return [problem, answer];
  const turn =
    named === "rotation180"
      ? "ROTATE_180"
      : stream.pick(["ROTATE_90_CLOCKWISE", "ROTATE_90_COUNTERCLOCKWISE"] as const);
  return [problem, { thought: "fix", action: { type: "code", source: rotationCode(turn) } }, answer];
}
