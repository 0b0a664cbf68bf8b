/**
 * What damage is, as data: JSON that a record can keep and that `applyDamage` turns into the same pixels again.
 */
import type { Problem } from "../../core/step.ts";

/** A problem that can be done to an image, so every one but `none`. */
export type DamageProblem = Exclude<Problem, "none">;

/** `[x_min, y_min, x_max, y_max]`, normalised 0..1000 by width and height, as MAT-Coding's crop questions give it. */
export type Box = readonly [number, number, number, number];

export const QUADRANTS = ["top left", "top right", "bottom left", "bottom right"] as const;
export type Quadrant = (typeof QUADRANTS)[number];

/** MAT-Coding's own rotation90 items were turned counterclockwise; the generated tasks turn clockwise. */
export type QuarterTurn = "clockwise" | "counterclockwise";

/** One problem with the strength that was drawn for it. */
export type Damage =
  | { problem: "rotation90"; turn: QuarterTurn }
  | { problem: "rotation180" }
  /** v' = factor * v. */
  | { problem: "dark"; factor: number }
  /** v' = 255 - factor * (255 - v). */
  | { problem: "overexposure"; factor: number }
  /** Gaussian, standard deviation in pixels. */
  | { problem: "blur"; sigma: number }
  /** Salt and pepper on `share` of the pixels; `seed` says where. */
  | { problem: "noise"; share: number; seed: readonly [number, number, number] }
  /** The whole content at half size in one quadrant. */
  | { problem: "crop"; quadrant: Quadrant }
  /** A question about one box of an untouched image. */
  | { problem: "crop"; box: Box };

export type DamageOf<P extends DamageProblem> = Extract<Damage, { problem: P }>;

/** Both ends included. */
export interface Range {
  low: number;
  high: number;
}

/** What strengths are drawn from. Sigma is in pixels: a photograph needs more of it than a small image. */
export interface Strengths {
  turn: QuarterTurn;
  dark: Range;
  overexposure: Range;
  blur: Range;
  noise: Range;
}
