/**
 * Demonstrations for a cold start, imperfect on purpose, so that reward has something to sharpen: a diagnosis that is right more often
 * than chance but not often, repairs drawn at random, and a right answer at the end, for reading is what is taught.
 * Every decision carries its candidates and which of them are right, so that a report can ask a model for their probabilities.
 */
import { SeededStream } from "../../core/seeds.ts";
import { PROBLEMS, type Action } from "../../core/step.ts";
import { problemsOf, type DamageProblem } from "../degradations/index.ts";
import type { DamagedDigitsTask } from "./index.ts";
import { REPAIR_DECISIONS, REPAIRS, repairCode, rightRepairs, type Repair } from "./repairs.ts";

export interface Candidate {
  label: string;
  right: boolean;
  /** The step's action, had this candidate been chosen and all else been the same. */
  action: Action;
}

/** A choice that a step takes. None of the candidates is right where an earlier choice was wrong. */
export interface Decision {
  /** `problem`, or what the repair decides: `direction`, `gain`, `amount`, `kernel`, `quadrant`. */
  name: string;
  candidates: Candidate[];
  /** Label of the demonstrated candidate. */
  chosen: string;
}

export interface DemonstratedStep {
  thought: string;
  action: Action;
  decisions: Decision[];
}

export interface DemonstrationChances {
  /** The named problem is `none` with chance `none`, the right one with `right`, else uniform over all. `none + right <= 1`. */
  problem: { none: number; right: number };
  /** Chance of the right quadrant when a crop is named rightly; the wrong ones share the rest. */
  quadrantRight: number;
}

/** A diagnosis weakly right, repairs without any knowledge of the image. */
export const FIRST_CHANCES: DemonstrationChances = { problem: { none: 0.45, right: 0.35 }, quadrantRight: 0.25 };

/** A whole episode: problem, code unless the problem is `none`, answer. A function of (task, seed, chances). */
export function demonstrate(
  loaded: DamagedDigitsTask,
  { seed, chances }: { seed: number; chances: DemonstrationChances },
): DemonstratedStep[] {
  const stream = new SeededStream("damaged-digits.demonstration", seed, loaded.task.id, ...loaded.task.public.images);
  const { step, problems } = nameProblem(loaded.task.private.kind, chances.problem, stream);
  const fix = problems.length === 0 ? [] : [repair(problems, loaded, chances.quadrantRight, stream)];
  return [step, ...fix, ...demonstrateReading(loaded)];
}

/** The answer alone, for a model that learns to read clean images first. */
export function demonstrateReading({ task }: DamagedDigitsTask): DemonstratedStep[] {
  return [{ thought: "read", action: { type: "answer", text: task.private.answers[0]! }, decisions: [] }];
}

function nameProblem(
  kind: string,
  chances: DemonstrationChances["problem"],
  stream: SeededStream,
): { step: DemonstratedStep; problems: DamageProblem[] } {
  const kinds: [string, ...string[]] = [kind, ...PROBLEMS.filter((problem) => problem !== kind)];
  const draw = stream.next();
  const any = stream.pick(kinds);
  const chosen = draw < chances.none ? "none" : draw < chances.none + chances.right ? kind : any;
  const candidates = kinds.map((label) => ({
    label,
    right: label === kind,
    action: { type: "problem", problems: label.split("+") } as const,
  }));
  const action: Action = { type: "problem", problems: chosen.split("+") };
  return {
    step: { thought: "look", action, decisions: [{ name: "problem", candidates, chosen }] },
    problems: problemsOf(chosen),
  };
}

function repair(
  problems: readonly DamageProblem[],
  { damage }: DamagedDigitsTask,
  quadrantRight: number,
  stream: SeededStream,
): DemonstratedStep {
  const choices = problems.map((problem) => {
    const done = damage.find((one) => one.problem === problem);
    const right = done === undefined ? [] : rightRepairs(done);
    return { problem, right, chosen: chooseRepair(problem, right, quadrantRight, stream) };
  });
  const codeWith = (problem: DamageProblem, candidate: Repair): Action => ({
    type: "code",
    source: repairCode(choices.map((choice) => (choice.problem === problem ? candidate : choice.chosen))),
  });
  const decisions = choices.flatMap(({ problem, right, chosen }) => {
    const name = REPAIR_DECISIONS[problem];
    if (name === null) return [];
    const candidates = REPAIRS[problem].map((candidate) => ({
      label: candidate.label,
      right: right.includes(candidate.label),
      action: codeWith(problem, candidate),
    }));
    return [{ name, candidates, chosen: chosen.label }];
  });
  const source = repairCode(choices.map(({ chosen }) => chosen));
  return { thought: "fix", action: { type: "code", source }, decisions };
}

function chooseRepair(
  problem: DamageProblem,
  right: readonly string[],
  quadrantRight: number,
  stream: SeededStream,
): Repair {
  const candidates = REPAIRS[problem];
  if (problem !== "crop" || right.length === 0) return stream.pick(candidates);
  const rightly = stream.next() < quadrantRight;
  const pool = candidates.filter(({ label }) => right.includes(label) === rightly);
  return stream.pick(pool as [Repair, ...Repair[]]);
}
