import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { canRedraw, closeLiveRegion, LiveRegion } from "./live-region.ts";
import { FakeTerminal } from "./testing/fake-terminal.ts";

beforeEach(() => vi.stubEnv("LC_ALL", "C.UTF-8"));
afterEach(() => {
  closeLiveRegion();
  vi.useRealTimers();
});

/** A region whose lines a test sets, on a clock that a test moves. */
function open(terminal: FakeTerminal, first: string[]) {
  vi.useFakeTimers();
  const shown = { lines: first };
  const region = LiveRegion.open(terminal.stream, () => shown.lines);
  const draw = (...lines: string[]): void => {
    shown.lines = lines;
    vi.advanceTimersByTime(1000);
  };
  return { region, draw };
}

it("redraws in place, whether it shrinks or grows", () => {
  const terminal = new FakeTerminal(40, 10);
  terminal.write("before\n");
  const { draw } = open(terminal, ["one", "two", "three"]);
  expect(terminal.text).toBe("before\none\ntwo\nthree");
  draw("o");
  expect(terminal.text).toBe("before\no");
  draw("a", "b", "c", "d");
  expect(terminal.text).toBe("before\na\nb\nc\nd");
});

it("lets lines scroll away above", () => {
  const terminal = new FakeTerminal(20, 6);
  const { region, draw } = open(terminal, ["top", "bottom"]);
  for (let line = 1; line <= 8; line++) region.print(`line ${line}`);
  region.print("one that is longer than the terminal is wide");
  draw("top", "middle", "bottom");
  const lines = Array.from({ length: 8 }, (_, index) => `line ${index + 1}`);
  expect(terminal.text.split("\n")).toEqual([
    ...lines,
    "one that is longer t",
    "han the terminal is",
    "wide",
    "top",
    "middle",
    "bottom",
  ]);
});

it("hides the cursor while it is open and leaves its last lines", () => {
  const terminal = new FakeTerminal(40, 10);
  const { region } = open(terminal, ["last", "lines"]);
  expect(terminal.cursorVisible).toBe(false);
  region.close();
  region.close();
  terminal.write("after");
  expect(terminal.cursorVisible).toBe(true);
  expect(terminal.text).toBe("last\nlines\nafter");
  const { writes } = terminal;
  vi.advanceTimersByTime(10_000);
  terminal.emit("resize");
  expect(terminal.writes).toBe(writes);
});

it("leaves nothing when it is erased, or abandoned by a process that ends", () => {
  const terminal = new FakeTerminal(40, 10);
  open(terminal, ["a", "b"]).region.close("erase");
  terminal.write("after\n");
  const before = process.listeners("exit");
  open(terminal, ["c", "d"]);
  terminal.write("stack trace\n");
  for (const listener of process.listeners("exit")) if (!before.includes(listener)) listener.call(process, 1);
  expect(terminal.text).toBe("after\nstack trace");
  expect(terminal.cursorVisible).toBe(true);
});

it("closes the region before, and listens to the process only while it is open", () => {
  const count = (): number => ["exit", "SIGTSTP", "SIGCONT"].flatMap((name) => process.rawListeners(name)).length;
  const before = count();
  const terminal = new FakeTerminal(40, 10);
  open(terminal, ["first"]);
  open(terminal, ["second"]);
  expect(terminal.text).toBe("first\nsecond");
  expect(count()).toBe(before + 3);
  closeLiveRegion();
  expect(count()).toBe(before);
  expect(terminal.listenerCount("resize")).toBe(0);
});

it("leaves no rest of old lines when the window changes", () => {
  const terminal = new FakeTerminal(60, 12);
  terminal.write("before\n");
  const { region } = open(terminal, ["x".repeat(59), "y".repeat(59), "z"]);
  for (const [columns, rows] of [
    [20, 12],
    [80, 4],
    [41, 2],
    [60, 30],
  ] as const) {
    terminal.resize(columns, rows);
    region.print(`${columns}`);
  }
  expect(terminal.text.split("\n")).toEqual(["before", "20", "80", "41", "60", "x".repeat(59), "y".repeat(59), "z"]);
});

it("never takes more than the screen", () => {
  const terminal = new FakeTerminal(10, 4);
  const { draw } = open(
    terminal,
    Array.from({ length: 9 }, (_, index) => `发票发票发票${index}`),
  );
  expect(terminal.text.split("\n")).toEqual(["发票发票…", "发票发票…", "发票发票…"]);
  draw("1", "2", "3", "4", "5");
  expect(terminal.text).toBe("1\n2\n3");
});

it("writes nothing while nothing changes, and not at every change", () => {
  const terminal = new FakeTerminal(40, 10);
  vi.useFakeTimers();
  let value = 0;
  LiveRegion.open(terminal.stream, () => [String(value)]);
  const { writes } = terminal;
  vi.advanceTimersByTime(5_000);
  expect(terminal.writes).toBe(writes);
  for (; value < 1000; value++) vi.advanceTimersByTime(1);
  expect(terminal.writes - writes).toBeLessThanOrEqual(10);
  expect(terminal.writes - writes).toBeGreaterThan(1);
});

it("speaks ASCII where the locale does", () => {
  vi.stubEnv("LC_ALL", "C");
  const terminal = new FakeTerminal(40, 10);
  open(terminal, ["██░ ✓"]).region.print("a · b");
  expect(terminal.text).toBe("a | b\n##- +");
});

it("redraws only where the cursor can move and a person looks", () => {
  const out = { isTTY: true };
  expect(canRedraw(out, { TERM: "xterm" })).toBe(true);
  expect(canRedraw(out, { TERM: "dumb" })).toBe(false);
  expect(canRedraw(out, { TERM: "xterm", CI: "true" })).toBe(false);
  expect(canRedraw({ isTTY: false }, {})).toBe(false);
});
