import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeFloat32 } from "../core/arrays.ts";
import type { EngineHandle } from "../engine/handle.ts";
import { startEngine } from "../engine/supervisor.ts";
import { buildTiny, engineAbsent, scratchFolder } from "../engine/testing/tiny-engine.ts";
import { decisionProbabilities } from "./decisions.ts";
import { trainSupervised, type DemonstratedTurn, type SupervisedResult } from "./supervised.ts";

const signal = new AbortController().signal;
const pixels = { min: null, max: null };
const turn = (question: string, text: string): DemonstratedTurn => ({
  messages: [{ role: "user", content: [{ type: "text", text: question }] }],
  text,
});
const LEFT = turn("which way?", "left");
const RIGHT = turn("which way?", "right");

describe.skipIf(engineAbsent() !== null)("supervised training", () => {
  let engine: EngineHandle;
  beforeAll(async () => {
    const folder = scratchFolder();
    engine = await startEngine({ modelPath: await buildTiny(folder), logFile: join(folder, "engine.log") });
  });
  afterAll(() => engine.stop());

  const train = async (
    rowsOf: (step: number) => Promise<DemonstratedTurn[]>,
    onStep: (result: SupervisedResult) => boolean,
  ): Promise<void> =>
    trainSupervised({
      client: engine.client,
      firstStep: 1,
      steps: 100,
      rowsOf,
      learningRateOf: () => 1e-2,
      pixels,
      maxTokensPerMicrobatch: 1024,
      onStep,
      signal,
    });

  it("teaches what is demonstrated in its shares, and stops when told", async () => {
    const losses: number[] = [];
    // Three times as often left as right.
    const rows = Promise.resolve([LEFT, LEFT, LEFT, RIGHT]);
    await train(
      () => rows,
      ({ step, loss, forwarded, tokens }) => {
        losses.push(loss);
        expect(forwarded).toEqual({ tokens: expect.any(Number) as number, patches: 0 });
        expect(forwarded.tokens).toBeGreaterThan(tokens / 4);
        return step < 60;
      },
    );
    expect(losses).toHaveLength(60);
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 3);
    const candidates = [LEFT, RIGHT].map(({ text }) => ({ text, right: text === "left" }));
    const probe = { decision: "way", kind: "any", messages: LEFT.messages, candidates };
    const [asked] = await decisionProbabilities([probe, probe], {
      client: engine.client,
      temperature: 1,
      pixels,
      signal,
    });
    // The sum over tokens, asked for directly.
    const { rows: scored } = await engine.client.logprobs({
      rows: [{ ...LEFT, prompt: null, tokenIds: null }],
      temperature: 1,
      pixels,
      policy: "current",
    });
    const logp = decodeFloat32(scored[0]?.logprobs ?? "").reduce((sum, value) => sum + value, 0);
    expect(asked).toMatchObject({ decision: "way", kind: "any", chance: 0.5, count: 2 });
    expect(asked?.right).toBeCloseTo(Math.exp(logp), 5);
    expect(asked?.right).toBeGreaterThan(0.5);
    expect(asked?.right).toBeLessThan(0.95);
  });

  it("rows that cannot be made stop the training at their step, not before", async () => {
    const reached: number[] = [];
    const failing = train(
      (step) => (step === 3 ? Promise.reject(new Error("no such rows")) : Promise.resolve([LEFT])),
      ({ step }) => {
        reached.push(step);
        return true;
      },
    );
    await expect(failing).rejects.toThrow("no such rows");
    expect(reached).toEqual([1, 2]);
  });
});
