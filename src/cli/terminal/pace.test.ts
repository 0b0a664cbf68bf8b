import { expect, it } from "vitest";
import { duration, Pace } from "./pace.ts";

it("takes the time left from the last units", () => {
  const pace = new Pace(0, 2);
  expect(pace.left(10, 0)).toBeNull();
  // The first unit takes 60 s, every later one 2 s.
  pace.mark(1, 60_000);
  expect(pace.left(10, 60_000)).toBe(540);
  pace.mark(2, 62_000);
  pace.mark(3, 64_000);
  expect(pace.left(10, 64_000)).toBe(14);
  expect(pace.left(10, 65_000)).toBe(13);
  expect(pace.left(10, 600_000)).toBe(0);
  expect(pace.elapsed(65_000)).toBe(65);
});

it("counts units that finish together", () => {
  const pace = new Pace(1_000, 8);
  pace.mark(50, 6_000);
  expect(pace.left(100, 6_000)).toBe(5);
});

it("begins anew where work is repeated", () => {
  const pace = new Pace(0, 8);
  pace.mark(5, 5_000);
  pace.mark(2, 50_000);
  expect(pace.left(10, 50_000)).toBeNull();
  pace.mark(3, 51_000);
  expect(pace.left(10, 51_000)).toBe(7);
});

it("names durations", () => {
  expect([0, 9.94, 9.96, 59.6, 75, 3599.7, 7260].map(duration)).toEqual([
    "0.0 s",
    "9.9 s",
    "10 s",
    "1 min 0 s",
    "1 min 15 s",
    "1 h 0 min",
    "2 h 1 min",
  ]);
});
