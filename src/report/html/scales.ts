/**
 * Axes of a chart: where a step and a value are in SVG units, which ticks are marked, and how they are drawn.
 */
import { markup, type Markup } from "./escape.ts";

/** Size of a chart and its margins, in SVG units; the page scales them. */
export interface Frame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export type Ends = readonly [number, number];

export interface Scales {
  frame: Frame;
  steps: Ends;
  values: Ends;
  x: (step: number) => number;
  y: (value: number) => number;
}

/** Linear on both axes. An axis whose ends are equal is one wide. */
export function scalesOf(frame: Frame, steps: Ends, values: Ends): Scales {
  const across = frame.width - frame.left - frame.right;
  const up = frame.height - frame.top - frame.bottom;
  const share = (value: number, [low, high]: Ends): number => (value - low) / (high > low ? high - low : 1);
  return {
    frame,
    steps,
    values,
    x: (step) => frame.left + share(step, steps) * across,
    y: (value) => frame.top + (1 - share(value, values)) * up,
  };
}

/** Round ends that hold the values and 0. */
export function fittedEnds(values: readonly number[]): Ends {
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const step = roundStep(high > low ? high - low : 1, 4);
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step || step];
}

/** About `wanted` round numbers between the ends: `ticks([0, 36], 4)` is 0, 10, 20, 30. */
export function ticks([low, high]: Ends, wanted: number): number[] {
  const step = roundStep(high > low ? high - low : 1, wanted);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
}

/** 1, 2 or 5 times a power of ten, at most `wanted` times in `span` or a little more. */
function roundStep(span: number, wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(span / wanted));
  const times = span / wanted / power;
  return power * (times <= 1.001 ? 1 : times <= 2.001 ? 2 : times <= 5.001 ? 5 : 10);
}

/** Grid lines and values at the left, steps below. */
export function axes({ frame, steps, values, x, y }: Scales, format: (value: number) => string): Markup {
  const { left, top, bottom, width, height, right } = frame;
  const base = height - bottom;
  const rows = ticks(values, 4).map(
    (value) =>
      markup`<line class="grid" x1="${left}" x2="${width - right}" y1="${svg(y(value))}" y2="${svg(y(value))}" /><text class="tick end" x="${left - 5}" y="${svg(y(value) + 3.5)}">${format(value)}</text>`,
  );
  const columns = ticks(steps, 5)
    .filter((step) => Number.isInteger(step))
    .map((step) => markup`<text class="tick middle" x="${svg(x(step))}" y="${base + 14}">${step}</text>`);
  const middle = svg((left + width - right) / 2);
  const label = height - base > 30 && markup`<text class="tick middle" x="${middle}" y="${height - 4}">step</text>`;
  return markup`${rows}<line class="axis" x1="${left}" x2="${left}" y1="${top}" y2="${base}" />${columns}${label}`;
}

/** A coordinate, short enough for a page of thousands. */
export function svg(value: number): string {
  return String(Math.round(value * 10) / 10);
}
