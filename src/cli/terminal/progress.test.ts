import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { closeLiveRegion, printLine } from "./live-region.ts";
import { progress } from "./progress.ts";
import { FakeTerminal } from "./testing/fake-terminal.ts";

beforeEach(() => {
  vi.useFakeTimers();
  for (const [name, value] of Object.entries({ TERM: "xterm", CI: "", NO_COLOR: "1", LC_ALL: "C.UTF-8" })) {
    vi.stubEnv(name, value);
  }
});
afterEach(() => {
  closeLiveRegion();
  vi.useRealTimers();
});

/** What a pipe gets. */
function pipe(): { out: NodeJS.WriteStream; lines: () => string[] } {
  let text = "";
  const out = { isTTY: false, write: (some: string) => (text += some) !== "" } as unknown as NodeJS.WriteStream;
  return { out, lines: () => text.split("\n").slice(0, -1) };
}

it("gives a pipe a line every twentieth of a long loop", () => {
  const { out, lines } = pipe();
  let clock = 0;
  const bar = progress("cold start", 1000, out, () => clock);
  for (let done = 1; done <= 1000; done++) {
    clock += 500;
    bar.update(done, "loss 1.00");
  }
  bar.finish("1000 steps");
  expect(lines()).toHaveLength(21);
  expect(lines()[0]).toBe("cold start 50/1000 · 7 min 55 s left · loss 1.00");
  expect(lines().slice(-1)).toEqual(["cold start 1000 steps (8 min 20 s)"]);
});

it("gives a pipe a line a minute where units are slow, and none in a short loop", () => {
  const slow = pipe();
  let clock = 0;
  const bar = progress("tasks", 1000, slow.out, () => clock);
  for (let done = 1; done <= 10; done++) {
    clock += 30_000;
    bar.update(done, "");
  }
  expect(slow.lines()).toEqual([2, 4, 6, 8, 10].map((done) => expect.stringContaining(`tasks ${done}/1000 · `)));

  const short = pipe();
  const quick = progress("tasks", 100, short.out, () => 0);
  for (let done = 1; done <= 100; done++) quick.update(done, "");
  quick.finish("100 made");
  expect(short.lines()).toEqual(["tasks 100 made (0.0 s)"]);
});

it("draws one live line on a terminal and replaces it by the last note", () => {
  const terminal = new FakeTerminal(80, 10);
  let clock = 0;
  const bar = progress("warm start", 4, terminal.stream, () => clock);
  clock = 2_000;
  bar.update(1, "loss 2.50");
  vi.advanceTimersByTime(1_000);
  expect(terminal.text).toBe("warm start ██████░░░░░░░░░░░░░░░░░░ 1/4 · 6.0 s left · loss 2.50");
  clock = 8_000;
  bar.finish("4 steps");
  expect(terminal.text).toBe("warm start 4 steps (8.0 s)");
  expect(terminal.cursorVisible).toBe(true);
});

it("does not take resumed work for speed", () => {
  const { out, lines } = pipe();
  let clock = 0;
  const bar = progress("cold start", 1000, out, () => clock);
  for (const done of [501, 502]) {
    clock += 60_000;
    bar.update(done, "");
  }
  expect(lines()).toEqual(["cold start 501/1000", "cold start 502/1000 · 8 h 18 min left"]);
});

it("lets other lines pass above the live one", () => {
  const terminal = new FakeTerminal(80, 10);
  const bar = progress("warm start", 4, terminal.stream, () => 0);
  bar.update(1, "");
  printLine("stage A is done", terminal.stream);
  expect(terminal.text).toBe("stage A is done\nwarm start ██████░░░░░░░░░░░░░░░░░░ 1/4 · 0.0 s left");
  bar.finish("4 steps");
  printLine("after", terminal.stream);
  expect(terminal.text).toBe("stage A is done\nwarm start 4 steps (0.0 s)\nafter");
});
