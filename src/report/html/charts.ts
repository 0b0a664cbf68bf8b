/**
 * Charts as inline SVG figures: lines over steps, stacked bars. Colours come from the style sheet (`s1`, `s2`, ... `s6`).
 */
import { markup, type Content, type Markup } from "./escape.ts";
import { short } from "./numbers.ts";
import { axes, fittedEnds, scalesOf, svg, type Ends, type Frame, type Scales } from "./scales.ts";

export interface Series {
  name: string;
  /** In step order; a null leaves a gap. */
  points: readonly { step: number; value: number | null }[];
}

export interface ChartOptions {
  title: string;
  /** What is drawn, and in which unit. */
  note: string;
  /** Ends of the vertical axis; left out, they fit the values and include 0. */
  values?: Ends;
  format?: (value: number) => string;
  /** One of many: no note, no legend. */
  small?: boolean;
}

const LARGE: Frame = { width: 420, height: 220, left: 48, right: 12, top: 10, bottom: 36 };
const SMALL: Frame = { width: 220, height: 130, left: 38, right: 10, top: 8, bottom: 20 };

/** Colours of the style sheet, in turn. */
const COLOURS = 6;
const colour = (index: number): string => `s${(index % COLOURS) + 1}`;

/** More points than this are a line without dots. */
const DOTS = 24;

/** One line a series. */
export function lineChart(series: readonly Series[], options: ChartOptions): Markup {
  const { format = short, small = false } = options;
  const points = series.flatMap((one) => one.points);
  const values = options.values ?? fittedEnds(points.flatMap(({ value }) => value ?? []));
  const scales = scalesOf(small ? SMALL : LARGE, endsOf(points.map(({ step }) => step)), values);
  const drawn = series.map(
    ({ name, points }, index) =>
      markup`<g class="${colour(index)}"><path class="line" d="${linePath(points, scales)}" />${marks(name, points, scales, format)}</g>`,
  );
  return figure(
    options,
    series.map(({ name }) => name),
    scales,
    drawn,
  );
}

/** Bars of parts that stand on each other, one bar a step. */
export function stackedBars(
  bars: readonly { step: number; parts: Readonly<Record<string, number>> }[],
  options: ChartOptions,
): Markup {
  const { format = short } = options;
  const names = [...new Set(bars.flatMap(({ parts }) => Object.keys(parts)))];
  const heights = bars.map(({ parts }) => Object.values(parts).reduce((sum, value) => sum + value, 0));
  const [first, last] = endsOf(bars.map(({ step }) => step));
  const scales = scalesOf(LARGE, [first - 0.6, last + 0.6], options.values ?? fittedEnds(heights));
  const width = Math.max(1, (scales.x(1) - scales.x(0)) * 0.8);
  const drawn = bars.map(({ step, parts }) => {
    let below = 0;
    return names.map((name, index) => {
      const value = parts[name] ?? 0;
      const [top, bottom] = [scales.y(below + value), scales.y(below)];
      below += value;
      const x = svg(scales.x(step) - width / 2);
      const size = markup`x="${x}" y="${svg(top)}" width="${svg(width)}" height="${svg(bottom - top)}"`;
      return (
        value > 0 &&
        markup`<rect class="bar ${colour(index)}" ${size}><title>${name}, step ${step}: ${format(value)}</title></rect>`
      );
    });
  });
  return figure(options, names, scales, drawn);
}

function figure(options: ChartOptions, names: readonly string[], scales: Scales, drawn: Content): Markup {
  const { title, note, format = short, small = false } = options;
  const { width, height } = scales.frame;
  const legend =
    names.length > 1 &&
    markup`<span class="legend">${names.map((name, index) => markup`<span><i class="swatch ${colour(index)}"></i>${name}</span> `)}</span>`;
  return markup`<figure class="chart">
    <figcaption><b>${title}</b>${!small && markup` <span class="note">${note}</span>`}${legend}</figcaption>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}: ${note}">
      ${axes(scales, format)}${drawn}
    </svg>
  </figure> `;
}

function marks(name: string, points: Series["points"], scales: Scales, format: (value: number) => string): Markup[] {
  const dots = points.length <= DOTS;
  return points.flatMap(({ step, value }) => {
    if (value === null) return [];
    const [x, y] = [svg(scales.x(step)), svg(scales.y(value))];
    const dot = dots && markup`<circle class="dot" cx="${x}" cy="${y}" r="2.6" />`;
    return markup`${dot}<circle class="hit" cx="${x}" cy="${y}" r="7"><title>${name}, step ${step}: ${format(value)}</title></circle>`;
  });
}

function linePath(points: Series["points"], { x, y }: Scales): string {
  let pen = "M";
  return points
    .map(({ step, value }) => {
      const command = value === null ? "" : `${pen}${svg(x(step))} ${svg(y(value))}`;
      pen = value === null ? "M" : "L";
      return command;
    })
    .join("");
}

function endsOf(steps: readonly number[]): Ends {
  return [Math.min(...steps), Math.max(...steps)];
}
