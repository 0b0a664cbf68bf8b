import { expect, it } from "vitest";
import { engineSettingsSchema, evaluationSchema, trainingSchema } from "./schema.ts";

const problems = (schema: { safeParse: typeof trainingSchema.safeParse }, value: object): string[] =>
  schema.safeParse(value).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
const training = (changes: object): string[] => problems(trainingSchema, { steps: 200, ...changes });

it("expresses the reference's schedule and refuses contradictory ones", () => {
  expect(training({ schedule: "linear", scheduleSteps: 1600 })).toEqual([]);
  expect(training({ finalFraction: 0.2, scheduleSteps: 300 })).toEqual([]);
  expect(training({ schedule: "constant", finalFraction: 0.2 })).toEqual([
    "finalFraction: expected none beside the schedule constant",
  ]);
  expect(training({ scheduleSteps: 1600 })).toEqual(["scheduleSteps: expected schedule linear or cosine beside it"]);
  expect(training({ schedule: "cosine", scheduleSteps: 100 })).toEqual([
    "scheduleSteps: expected at least the 200 steps of the run",
  ]);
  expect(training({ schedule: "exponential" })).toEqual(["schedule: expected constant, linear or cosine"]);
  expect(training({ keepBest: 0 })).toEqual(["keepBest: expected integer >= 1"]);
});

it("refuses impossible patience", () => {
  expect(problems(evaluationSchema as never, { every: 2, tasks: 5, patience: 0 })).toEqual([
    "patience: expected integer >= 1",
  ]);
});

it("refuses impossible adapters before anything starts", () => {
  const engine = (changes: object): string[] => problems(engineSettingsSchema as never, changes);
  const lora = { rank: 8, alpha: 16 };
  expect(engine({ lora })).toEqual([]);
  expect(engine({ lora: { ...lora, rank: 0 } })).toEqual(["lora.rank: expected integer >= 1"]);
  expect(engine({ lora: { ...lora, dropout: 0.1 } })).toEqual([
    "lora.dropout: expected 0, since sampler and trainer must agree on every probability",
  ]);
  expect(engine({ lora: { ...lora, targets: [] } })).toEqual([
    "lora.targets: expected all-linear or a list of names of layers",
  ]);
  expect(engine({ lora: { ...lora, vision: true }, freezeVision: true })).toEqual([
    "freezeVision: expected false, since lora.vision adapts the tower",
  ]);
  expect(engine({ lora, freezeVision: true })).toEqual([]);
});
