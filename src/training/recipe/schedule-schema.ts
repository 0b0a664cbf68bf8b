/**
 * How long and how fast a recipe trains, in its `training` and `evaluation` sections. What is contradictory is refused here.
 */
import { z } from "zod";

const POSITIVE = "expected integer >= 1";
const positiveInt = z.int(POSITIVE).min(1, POSITIVE);

export const scheduleKeys = {
  learningRate: z.number().positive().default(1e-6),
  warmupSteps: z.int().min(0).default(0),
  /** After the warm-up. Null: linear where there is a `finalFraction`, else constant. */
  schedule: z.enum(["constant", "linear", "cosine"], "expected constant, linear or cosine").nullable().default(null),
  /** Rate at the schedule's last step as a share of `learningRate`. Null: 0 one step after it, as in transformers. */
  finalFraction: z.number().min(0).max(1).nullable().default(null),
  /** Steps that the schedule spans, when the run makes only the first of them. Null: `steps`. */
  scheduleSteps: positiveInt.nullable().default(null),
};

type ScheduleSettings = z.output<z.ZodObject<typeof scheduleKeys>> & { steps: number };

/** Adds an issue for each contradiction: for `superRefine` of an object with `scheduleKeys` and `steps`. */
export function checkSchedule(settings: ScheduleSettings, context: z.core.$RefinementCtx): void {
  const { schedule, finalFraction, scheduleSteps, steps } = settings;
  const expect = (holds: boolean, key: string, message: string): void => {
    if (!holds) context.addIssue({ code: "custom", path: [key], message: `expected ${message}`, input: settings });
  };
  expect(schedule !== "constant" || finalFraction === null, "finalFraction", "none beside the schedule constant");
  const decays = schedule === null ? finalFraction !== null : schedule !== "constant";
  expect(scheduleSteps === null || decays, "scheduleSteps", "schedule linear or cosine beside it");
  expect(scheduleSteps === null || scheduleSteps >= steps, "scheduleSteps", `at least the ${steps} steps of the run`);
}
