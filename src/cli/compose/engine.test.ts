import { expect, it } from "vitest";
import type { EngineInfo } from "../../engine/wire.ts";
import { engineSettingsSchema } from "../../training/recipe/schema.ts";
import { refuseOtherTraining, workerSettings } from "./engine.ts";

const URL = "http://127.0.0.1:1";
const trains = (trained: Partial<EngineInfo["trained"]>): EngineInfo =>
  ({
    trained: { parameters: 1, lora: null, freezeVision: false, gradientCheckpointing: false, ...trained },
  }) as EngineInfo;

it("starts a worker with what the recipe says about training", () => {
  const settings = engineSettingsSchema.parse({ lora: { rank: 8, alpha: 16 }, gradientCheckpointing: true });
  expect(workerSettings(settings)).toEqual({
    device: "cpu",
    dtype: "float32",
    threads: 2,
    port: 0,
    lora: { rank: 8, alpha: 16, dropout: 0, targets: "all-linear", vision: false },
    freezeVision: false,
    gradientCheckpointing: true,
  });
});

it("refuses a running worker that trains something else, naming both", () => {
  const lora = { rank: 8, alpha: 16, targets: ["q_proj", "v_proj"], vision: false };
  const all = engineSettingsSchema.parse({});
  const adapter = engineSettingsSchema.parse({ lora: { ...lora, targets: ["v_proj", "q_proj"] } });
  expect(() => refuseOtherTraining(URL, all, trains({}))).not.toThrow();
  expect(() => refuseOtherTraining(URL, adapter, trains({ lora }))).not.toThrow();
  expect(() => refuseOtherTraining(URL, all, trains({ freezeVision: true }))).toThrow(
    "trains all weights but the vision tower's, the recipe says all weights",
  );
  for (const other of [{ rank: 4 }, { alpha: 8 }, { vision: true }, { targets: "all-linear" as const }]) {
    expect(() => refuseOtherTraining(URL, adapter, trains({ lora: { ...lora, ...other } }))).toThrow(
      "the recipe says a LoRA adapter (rank 8, alpha 16, q_proj, v_proj)",
    );
  }
});
