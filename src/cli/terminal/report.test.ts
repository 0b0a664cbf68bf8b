import { expect, it, vi } from "vitest";
import type { Report, Result } from "../../report/report.ts";
import { printReport } from "./report.ts";
import { FakeTerminal } from "./testing/fake-terminal.ts";

function result(em: number, byKind: Record<string, number>): Result {
  const each = <T>(value: T): Record<string, T> => Object.fromEntries(Object.keys(byKind).map((kind) => [kind, value]));
  return {
    em,
    f1: em + 0.01,
    emInterval: [em - 0.02, em + 0.01],
    f1Interval: [em - 0.01, em + 0.02],
    count: 512,
    byKind,
    f1ByKind: byKind,
    emIntervalByKind: each([0, 1]),
    f1IntervalByKind: each([0, 1]),
    countByKind: each(64),
    toolUseByKind: each(0.5),
    stops: { answered: 512 },
  };
}

const difference = (em: number) => ({
  em,
  emInterval: [em - 0.03, em + 0.03] as [number, number],
  f1: em,
  f1Interval: [em, em] as [number, number],
});

const report: Report = {
  version: 1,
  name: "quickstart",
  seed: 11,
  steps: 36,
  split: "damaged-digits/test",
  before: result(0.332, { none: 0.98, "rotation90+dark": 0.17, "d\u001b[2J": 0.02 }),
  after: result(0.974, { none: 0.97, "rotation90+dark": 1, "d\u001b[2J": 0.98 }),
  withoutTools: result(0.248, { none: 0.98, "rotation90+dark": 0, "d\u001b[2J": 0.01 }),
  gain: difference(0.642),
  toolGain: difference(0.726),
  heldOut: [],
  training: [],
  seconds: { byPhase: {}, total: 0, shares: { engine: 0.9, tools: 0.075, control: 0.025 }, steps: [] },
};
const paths = { run: "runs/q", page: "runs/q/report.html", next: ["varft a", "varft b", "varft c"] };

/** What is printed to a pipe. */
function piped(some: Report): string[] {
  let text = "";
  const out = { isTTY: false, write: (more: string) => (text += more) !== "" } as unknown as NodeJS.WriteStream;
  printReport(some, paths, out);
  return text.split("\n");
}

it("prints the table by kind, what is gained, and what to do next", () => {
  vi.stubEnv("LC_ALL", "C.UTF-8");
  expect(piped(report)).toEqual([
    "",
    "quickstart, seed 11, 36 steps: exact match on held-out tasks of damaged-digits/test, greedy",
    "kind           tasks  before        after         no tools",
    "none              64  .98           .97           .98",
    "rotation90+d…     64  .17           1.0           .00",
    "d�[2J             64  .02           .98           .01",
    "all              512  .33 .31–.34   .97 .95–.98   .25 .23–.26",
    "all, F1          512  .34 .32–.35   .98 .96–.99   .26 .24–.27",
    "ranges are 95% bootstrap intervals",
    "after - before        +.64 +.61 to +.67",
    "after - no tools      +.73 +.70 to +.76",
    "time of a step: engine 90.0%, tools 7.5%, control plane 2.5%",
    "",
    "run folder  runs/q",
    "report      runs/q/report.html",
    "next        varft a",
    "            varft b",
    "            varft c",
    "",
  ]);
});

it("has a column and a gain for the supervised control where there is one", () => {
  vi.stubEnv("LC_ALL", "C.UTF-8");
  const lines = piped({ ...report, supervised: report.before, controlGain: difference(-0.01) });
  expect(lines[2]).toBe("kind           tasks  before        after         no tools      supervised");
  expect(lines[3]).toBe("none              64  .98           .97           .98           .98");
  expect(lines).toContain("after - supervised    -.01 -.04 to +.02");
});

it("draws bars on a terminal of 80 columns, in ASCII where its locale is", () => {
  vi.stubEnv("LC_ALL", "C");
  vi.stubEnv("NO_COLOR", "1");
  const terminal = new FakeTerminal(80, 40);
  printReport({ ...report, supervised: report.before, controlGain: difference(0.5) }, paths, terminal.stream);
  expect(terminal.text).toContain("none              64  .98 ########  .97 ########  .98 ########  .98 ########\n");
  expect(terminal.text).toContain("rotation90+d~     64  .17 #-------  1.0 ########  .00 --------  .17 #-------\n");
  expect(terminal.text).toContain("all              512  .33 .31-.34");
  expect(terminal.unknown).toEqual([]);
});
