/**
 * Exact match by kind as one picture: a line from before to after, each with its 95% interval, and what the controls reach.
 */
import type { TableCell, TableRow } from "../table.ts";
import { markup, type Markup } from "./escape.ts";
import { percent, range } from "./numbers.ts";
import { svg } from "./scales.ts";

const [WIDTH, LEFT, RIGHT, TOP, ROW] = [460, 96, 14, 8, 32];

export function dumbbells(rows: readonly TableRow[]): Markup {
  const base = TOP + rows.length * ROW;
  const x = (share: number): number => LEFT + share * (WIDTH - LEFT - RIGHT);
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      markup`<line class="grid" x1="${svg(x(share))}" x2="${svg(x(share))}" y1="${TOP}" y2="${base}" /><text class="tick middle" x="${svg(x(share))}" y="${base + 14}">${share * 100}%</text>`,
  );
  const lines = rows.map(({ kind, cells }, index) => {
    const y = TOP + (index + 0.5) * ROW;
    const { before, after, withoutTools, supervised } = cells;
    return markup`<g class="${kind === "all" && "all"}">
      <text class="label end" x="${LEFT - 10}" y="${y + 4}">${kind}</text>
      <line class="gain" x1="${svg(x(before.em))}" x2="${svg(x(after.em))}" y1="${y}" y2="${y}" />
      ${whisker(before, y, x, "was")}${whisker(after, y, x, "now")}
      <path class="without" d="M${svg(x(withoutTools.em))} ${y - 6}v12"><title>${kind}, no tools: ${told(withoutTools)}</title></path>
      ${supervised !== null && markup`<path class="control" d="M${svg(x(supervised.em))} ${y - 5}l5 5l-5 5l-5 -5z"><title>${kind}, supervised: ${told(supervised)}</title></path>`}
      <circle class="was" cx="${svg(x(before.em))}" cy="${y}" r="4.5"><title>${kind}, before: ${told(before)}</title></circle>
      <circle class="now" cx="${svg(x(after.em))}" cy="${y}" r="5.5"><title>${kind}, after: ${told(after)}</title></circle>
    </g>`;
  });
  const control = rows.some(({ cells }) => cells.supervised !== null);
  return markup`<figure class="dumbbells">
    <svg viewBox="0 0 ${WIDTH} ${base + 20}" role="img" aria-label="Exact match by kind, before and after">
      ${grid}${lines}
    </svg>
    <figcaption class="legend">
      <span><i class="key was"></i>before</span> <span><i class="key now"></i>after</span>
      <span><i class="key without"></i>after, tools off</span>${control && markup` <span><i class="key control"></i>supervised control</span>`}
      <span class="note">Lines through the points: 95% intervals.</span>
    </figcaption>
  </figure> `;
}

function whisker(
  { emInterval: [low, high] }: TableCell,
  y: number,
  x: (share: number) => number,
  name: string,
): Markup {
  return markup`<line class="whisker ${name}" x1="${svg(x(low))}" x2="${svg(x(high))}" y1="${y}" y2="${y}" />`;
}

function told({ em, emInterval }: TableCell): string {
  return `${percent(em)}% (${range(emInterval)})`;
}
