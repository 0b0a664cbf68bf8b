/**
 * `evaluations/decisions.json`: how likely the policy made each right choice before reinforcement learning, which is all it can sharpen.
 */
import { z } from "zod";

export const DECISIONS_VERSION = 1;

const share = z.number().min(0).max(1);

export const decisionSchema = z.strictObject({
  /** What is chosen: `problem`, or a parameter of the repair. */
  decision: z.enum(["problem", "direction", "gain", "amount", "kernel", "quadrant"]),
  /** Kind of the tasks on which it was asked. */
  kind: z.string(),
  /** Mean over tasks of the summed probability of the right candidates. */
  right: share,
  /** The same for a policy that draws a candidate uniformly. */
  chance: share,
  /** Tasks. */
  count: z.int().min(1),
});
export type Decision = z.infer<typeof decisionSchema>;

export const decisionsSchema = z.strictObject({
  version: z.literal(DECISIONS_VERSION),
  /** Tasks in all; one takes part in several decisions. */
  tasks: z.int().min(1),
  decisions: z.array(decisionSchema),
});
export type Decisions = z.infer<typeof decisionsSchema>;
