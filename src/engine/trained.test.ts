import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFloat32 } from "../core/arrays.ts";
import { type EngineOptions, startEngine } from "./supervisor.ts";
import { buildTiny, engineAbsent, scratchFolder, textRequest } from "./testing/tiny-engine.ts";
import type { Lora } from "./wire.ts";

const PATIENCE = 120_000;
const LORA: Lora = { rank: 2, alpha: 4, targets: ["q_proj", "v_proj"], vision: false };
const PIXELS = { min: null, max: null };
const ADAM = { learningRate: 1e-2, betas: [0.9, 0.999] as [number, number], eps: 1e-8, weightDecay: 0, maxGradNorm: 1 };

describe.skipIf(engineAbsent() !== null)("what a worker trains", { timeout: PATIENCE }, () => {
  let folder: string;
  let modelPath: string;
  const options = (changes: Partial<EngineOptions>): EngineOptions => ({
    modelPath,
    logFile: join(folder, "engine.log"),
    ...changes,
  });

  beforeAll(async () => {
    folder = scratchFolder();
    modelPath = await buildTiny(folder);
  }, PATIENCE);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is the adapter that its settings say, on a base that stays the reference; exported merged or apart", async () => {
    const { client, info, stop } = await startEngine(
      options({ lora: LORA, freezeVision: true, gradientCheckpointing: true }),
    );
    expect(info.trained).toEqual({
      // Two layers of A [2, 64] and B [64 and 32, 2].
      parameters: 2 * 2 * (64 + 64 + 64 + 32),
      lora: LORA,
      freezeVision: true,
      gradientCheckpointing: true,
    });
    const messages = textRequest(["0123456789abcdef"], 1).prompts[0]?.messages ?? [];
    const row = { messages, prompt: null, tokenIds: null, text: "<answer>42</answer>" };
    const score = async (policy: "current" | "reference"): Promise<string | undefined> =>
      (await client.logprobs({ rows: [row], temperature: 1, pixels: PIXELS, policy })).rows[0]?.logprobs;
    const base = await score("current");
    await client.forwardBackward({
      rows: [{ ...row, advantages: encodeFloat32([1]), oldLogprobs: null }],
      objective: { name: "cross_entropy" },
      temperature: 1,
      pixels: PIXELS,
      maxTokensPerMicrobatch: 1000,
    });
    await client.optimStep(ADAM);
    expect(await score("reference")).toBe(base);
    expect(await score("current")).not.toBe(base);
    const [merged, adapter] = [join(folder, "merged"), join(folder, "adapter")];
    await client.export({ path: merged, pins: {} });
    await client.export({ path: adapter, pins: {}, format: "adapter" });
    expect(existsSync(join(merged, "model.safetensors"))).toBe(true);
    expect(readdirSync(adapter).toSorted()).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
    await stop();
  });

  it("is refused before the weights are read where a layer's name is unknown", async () => {
    const starting = startEngine(options({ lora: { ...LORA, targets: ["q_proj", "query"] } }));
    await expect(starting).rejects.toMatchObject({
      code: "engine.bad_lora",
      message: expect.stringContaining("there are down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj"),
      details: { unknown: ["query"] },
    });
  });
});
