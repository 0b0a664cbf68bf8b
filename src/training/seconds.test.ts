import { expect, it } from "vitest";
import type { Episode } from "../episodes/episode.ts";
import type { ToolRun, Turn } from "../core/records.ts";
import { PhaseClock, samplingSeconds, toolSeconds } from "./seconds.ts";

const run = (seconds: number): ToolRun => ({
  tool: "code",
  input: {},
  status: "ok",
  text: null,
  images: [],
  replacesImage: false,
  detail: {},
  seconds,
});

/** Turns as [engine seconds, tool seconds...]. */
function episode(...turns: [number, ...number[]][]): Episode {
  const made = turns.map(([decode, ...tools]): Turn => ({
    promptDigest: null,
    text: "",
    tokenIds: null,
    logprobs: null,
    stopReason: "end",
    noiseKey: null,
    policyVersion: null,
    step: { thought: null, actions: [], faults: [] },
    toolRuns: tools.map(run),
    seconds: { render: 0.25, prefill: 0.5, decode, tools: 100 },
  }));
  return { record: { turns: made }, shown: [] } as unknown as Episode;
}

const EPISODES = [episode([1], [2, 3, 0.5], [1]), episode([1], [2, 1]), episode([4, 7])];

it("sampling is the sum of every turn's share of its wave", () => {
  expect(samplingSeconds(EPISODES)).toBe(1 + 2 + 1 + 1 + 2 + 4 + 6 * 0.75);
});

it("tools of one turn run side by side, those of the next turn after them", () => {
  expect(toolSeconds(EPISODES)).toBe(7 + 3.5);
  expect(toolSeconds([])).toBe(0);
});

it("phases add up to no more than the time since the clock began", () => {
  const clock = new PhaseClock();
  clock.end("a");
  clock.end("b");
  clock.end("a");
  expect(Object.keys(clock.phases)).toEqual(["a", "b"]);
  const sum = Object.values(clock.phases).reduce((total, value) => total + value, 0);
  expect(sum).toBeGreaterThan(0);
  expect(sum).toBeLessThanOrEqual(clock.total);
});
