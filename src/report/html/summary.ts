/**
 * The top of the page: one sentence with the real figures, the figures large, the picture and the table by kind.
 */
import type { Report, Result } from "../report.ts";
import { TABLE_COLUMNS, tableRows, type TableCell } from "../table.ts";
import { dumbbells } from "./dumbbell.ts";
import { markup, type Markup } from "./escape.ts";
import { count, percent, points, pointsRange, range } from "./numbers.ts";

export function summary(report: Report): Markup {
  const { before, after, withoutTools } = report;
  return markup`<header>
    <p class="eyebrow">${report.name} · seed ${report.seed} · ${report.split}</p>
    <h1>${headline(report)}</h1>
    <p class="verdict">${verdict(report)}</p>
    <p class="figures">
      <span><b>${percent(before.em)}<small>%</small></b> before</span>
      <span class="arrow">→</span>
      <span class="now"><b>${percent(after.em)}<small>%</small></b> after</span>
      <span class="aside"><b>${percent(withoutTools.em)}<small>%</small></b> after, tools off</span>
    </p>
  </header> `;
}

export function table(report: Report): Markup {
  const rows = tableRows(report);
  const columns = TABLE_COLUMNS.filter(({ key }) => rows.some(({ cells }) => cells[key] !== null));
  return markup`<section id="table">
    <h2>Exact match by kind</h2>
    <div class="pair">
    ${dumbbells(rows)}
    <div class="wide">
      <table class="results">
        <thead>
          <tr>
            <th scope="col">kind</th>
            <th scope="col">tasks</th>
            ${columns.map(({ title }) => markup`<th scope="col">${title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ kind, count: tasks, cells }) =>
              markup`<tr class="${kind === "all" && "all"}">
                <th scope="row">${kind}</th>
                <td>${count(tasks)}</td>
                ${columns.map(({ key }) => cell(cells[key], key))}
              </tr> `,
          )}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">all, called a tool</th>
            <td></td>
            ${columns.map(({ key }) => markup`<td class="${key}">${toolUse(report[key])}</td>`)}
          </tr>
          <tr>
            <th scope="row">all, F1</th>
            <td>${count(report.after.count)}</td>
            ${columns.map(({ key }) => f1Cell(rows.at(-1)?.cells[key] ?? null, key))}
          </tr>
        </tfoot>
      </table>
    </div>
    </div>
    <dl class="meanings">
      ${columns.map(
        ({ title, meaning }) =>
          markup`<dt>${title}</dt>
            <dd>${meaning}</dd>`,
      )}
      <dt>figures</dt>
      <dd>
        Percent of tasks whose greedy answer matches exactly, below it the 95% bootstrap interval over tasks. F1 is
        MAT's.
      </dd>
    </dl>
  </section> `;
}

/** What may be said of the difference: a gain, a loss, or neither, as its interval has it. */
export function headline({ gain, steps }: Report): string {
  if (gain.emInterval[0] > 0) return `${steps} steps of GRPO: ${points(gain.em)} points of exact match`;
  return gain.emInterval[1] < 0
    ? `${steps} steps of GRPO made it worse: ${points(gain.em)} points of exact match`
    : `${steps} steps of GRPO: no difference that these tasks can show`;
}

function verdict(report: Report): Markup {
  const { before, after, withoutTools, gain, toolGain, supervised } = report;
  const control =
    supervised === undefined
      ? ""
      : `; trained on demonstrations instead, at equal compute, it reaches ${percent(supervised.em)}%`;
  const tools =
    toolGain.emInterval[0] > 0
      ? `with its tools switched off it gets ${percent(withoutTools.em)}%, so ${percent(toolGain.em)} points are the tools'`
      : `with its tools switched off it gets ${percent(withoutTools.em)}%, so the tools make no difference that these tasks can show`;
  return markup`On ${count(after.count)} held-out tasks, greedy, with live tools, exact match went from
    ${percent(before.em)}% to <b>${percent(after.em)}%</b> (${points(gain.em)} points, 95% interval
    ${pointsRange(gain.emInterval)}); ${tools}${control}.`;
}

function cell(scores: TableCell | null, key: string): Markup {
  if (scores === null) return markup`<td>–</td>`;
  return markup`<td class="${key}" title="F1 ${percent(scores.f1)} (${range(scores.f1Interval)})">
    <b>${percent(scores.em)}</b> <small>${range(scores.emInterval)}</small>
  </td>`;
}

function f1Cell(scores: TableCell | null, key: string): Markup {
  if (scores === null) return markup`<td>–</td>`;
  return markup`<td class="${key}"><b>${percent(scores.f1)}</b> <small>${range(scores.f1Interval)}</small></td>`;
}

/** Share of all episodes that called a tool. */
function toolUse(result: Result | undefined): string {
  if (result === undefined) return "–";
  const called = Object.entries(result.toolUseByKind).map(([kind, share]) => share * (result.countByKind[kind] ?? 0));
  return percent(called.reduce((sum, episodes) => sum + episodes, 0) / result.count);
}
