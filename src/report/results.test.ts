import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bootstrapMean, bootstrapPairedDifference } from "../evaluation/bootstrap.ts";
import { readFinalEvaluations, type FinalEvaluation } from "./evaluations.ts";
import { differenceOf, resultOf } from "./results.ts";
import { writeSmallRun } from "./testing/small-run.ts";

it("draws its intervals with one fixed seed, paired by task, so that a report repeats to the last digit", async () => {
  const folder = await mkdtemp(join(tmpdir(), "varft-results-"));
  await writeSmallRun(join(folder, "run"));
  const { after, before } = await readFinalEvaluations(join(folder, "run"));
  await rm(folder, { recursive: true });
  // Enough values without ties: another seed gives other digits.
  const scored = ({ split, outcomes }: FinalEvaluation, f1s: readonly number[]): FinalEvaluation => ({
    split,
    outcomes: f1s.map((f1, index) => ({ ...outcomes[index % outcomes.length]!, f1 })),
  });
  const now = Array.from({ length: 40 }, (_, index) => Math.sin(index) ** 2);
  const then = Array.from({ length: 40 }, (_, index) => Math.cos(3 * index) ** 2 / 2);
  const { low, high } = bootstrapMean(now, { seed: 0 });
  expect(resultOf(scored(after, now)).f1Interval).toEqual([low, high]);
  const paired = bootstrapPairedDifference(now, then, { seed: 0 });
  const { f1, f1Interval } = differenceOf(scored(after, now), scored(before, then));
  expect([f1, ...f1Interval]).toEqual([paired.mean, paired.low, paired.high]);
});
