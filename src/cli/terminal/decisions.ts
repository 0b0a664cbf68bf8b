/**
 * What a policy knows before reinforcement learning, as lines: the probability of the right choice, by decision and kind.
 */
import { bar } from "./charts.ts";
import { style } from "./style.ts";

export interface DecisionLine {
  decision: string;
  kind: string;
  right: number;
  chance: number;
  count: number;
}

const BAR_WIDTH = 20;

export function decisionLines(title: string, decisions: readonly DecisionLine[]): string[] {
  return [
    style("bold", `probability of the right choice ${title}`),
    ...decisions.map(({ decision, kind, right, chance, count }) => {
      const figures = `${right.toFixed(2)}  (${chance.toFixed(2)} by chance, ${count} tasks)`;
      return `  ${decision.padEnd(10)} ${kind.padEnd(14)} ${style("cyan", bar(right, BAR_WIDTH))} ${figures}`;
    }),
  ];
}
