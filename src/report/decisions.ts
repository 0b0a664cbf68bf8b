/**
 * `evaluations/decisions.json`: how likely the policy made each right choice before reinforcement learning, which is all it can sharpen.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { DataError } from "../core/errors.ts";
import { writeFileAtomic } from "../runs/disk.ts";

export const DECISIONS_VERSION = 1;

/** Sums of float32 probabilities end up a little above 1. */
const share = z.number().min(0).max(1.0001);

export const decisionSchema = z.object({
  /** What is chosen: `problem`, or a parameter of the repair, for example `quadrant`. */
  decision: z.string(),
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

export const decisionsSchema = z.object({
  version: z.literal(DECISIONS_VERSION),
  decisions: z.array(decisionSchema),
});
export type Decisions = z.infer<typeof decisionsSchema>;

/** Null where the run has no such file. Throws `data.bad_decisions` naming the field. */
export async function readDecisions(path: string): Promise<Decisions | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cause;
  }
  const refuse = (reason: string): never => {
    throw new DataError("data.bad_decisions", `${path}: ${reason}`, {
      hint: "Delete the file, and it is left out of the report, or make it again.",
    });
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return refuse(`not JSON: ${(cause as Error).message}`);
  }
  const parsed = decisionsSchema.safeParse(json);
  return parsed.success ? parsed.data : refuse(z.prettifyError(parsed.error));
}

/** Writes the file at once or not at all. */
export async function writeDecisions(path: string, decisions: readonly Decision[]): Promise<void> {
  const content: Decisions = { version: DECISIONS_VERSION, decisions: [...decisions] };
  await writeFileAtomic(path, `${JSON.stringify(content, null, 2)}\n`);
}
