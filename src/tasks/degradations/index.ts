/**
 * Degradations: what is done to an image so that an agent has something to repair, on raw RGB8 pixels of any size, bit for bit
 * the same everywhere. One file per kind of damage; generated tasks and benchmarks of real photographs share them.
 * Not here: what is drawn in an image, questions and answers, and code that repairs.
 *
 * ```ts
 * const damage = drawDamage(["rotation90", "dark"], strengths, stream); // data, for a record
 * const damaged = applyDamage(pixels, damage);
 * ```
 */
import { ConfigError } from "../../core/errors.ts";
import type { Pixels } from "../../core/images.ts";
import type { SeededStream } from "../../core/seeds.ts";
import { PROBLEMS } from "../../core/step.ts";
import { blur } from "./blur.ts";
import { shrinkInto } from "./crop.ts";
import { QUADRANTS, type Damage, type DamageProblem, type Range, type Strengths } from "./damage.ts";
import { darken, overexpose } from "./exposure.ts";
import { saltAndPepper } from "./noise.ts";
import { rotate } from "./rotation.ts";

export { boxOfCrop, cut } from "./crop.ts";
export * from "./damage.ts";
export { rotate } from "./rotation.ts";

/** Compounds are composed in this order, that of a camera: framing, pose, optics, exposure, sensor. Repairs go the other way. */
export const DAMAGE_ORDER = ["crop", "rotation90", "rotation180", "blur", "dark", "overexposure", "noise"] as const;

/** Pairs that undo or hide each other. */
const EXCLUSIVE = [
  ["rotation90", "rotation180"],
  ["dark", "overexposure"],
] as const;

/** `kindOf(["dark", "rotation90"]) === "rotation90+dark"`: problems in the order of `PROBLEMS`; `none` for no problem. */
export function kindOf(problems: readonly DamageProblem[]): string {
  return problems.length === 0
    ? "none"
    : PROBLEMS.filter((problem) => problem !== "none" && problems.includes(problem)).join("+");
}

/** Problems of a kind's name; `[]` for `none`. Throws `config.bad_kind` for a name that `kindOf` does not give, or a pair that is exclusive. */
export function problemsOf(kind: string): DamageProblem[] {
  if (kind === "none") return [];
  const names = kind.split("+");
  const problems = DAMAGE_ORDER.filter((problem) => names.includes(problem));
  const exclusive = EXCLUSIVE.some((pair) => pair.every((problem) => problems.includes(problem)));
  if (problems.length > 2 || exclusive || kindOf(problems) !== kind) {
    throw new ConfigError(
      "config.bad_kind",
      `expected a kind of damage such as dark or rotation90+dark, got "${kind}"`,
      {
        hint: `Name none, one or two of ${PROBLEMS.join(", ")}, in this order; no two rotations, not dark with overexposure.`,
        details: { kind },
      },
    );
  }
  return problems;
}

/** Draws strengths for the problems, in `DAMAGE_ORDER`. */
export function drawDamage(problems: readonly DamageProblem[], strengths: Strengths, stream: SeededStream): Damage[] {
  return ordered(problems.map((problem) => ({ problem }))).map(({ problem }) => drawOne(problem, strengths, stream));
}

/** The damaged pixels; the given ones stay as they are. */
export function applyDamage(pixels: Pixels, damage: readonly Damage[]): Pixels {
  return ordered(damage).reduce(applyOne, pixels);
}

function ordered<T extends { problem: DamageProblem }>(damage: readonly T[]): T[] {
  return DAMAGE_ORDER.flatMap((problem) => damage.filter((one) => one.problem === problem));
}

function drawOne(problem: DamageProblem, strengths: Strengths, stream: SeededStream): Damage {
  switch (problem) {
    case "rotation90":
      return { problem, turn: strengths.turn };
    case "rotation180":
      return { problem };
    case "dark":
    case "overexposure":
      return { problem, factor: within(strengths[problem], stream) };
    case "blur":
      return { problem, sigma: within(strengths.blur, stream) };
    case "noise": {
      const word = (): number => stream.integer(0, 2 ** 32 - 1);
      return { problem, share: within(strengths.noise, stream), seed: [word(), word(), word()] };
    }
    case "crop":
      return { problem, quadrant: stream.pick(QUADRANTS) };
  }
}

function within({ low, high }: Range, stream: SeededStream): number {
  return low + (high - low) * stream.next();
}

function applyOne(pixels: Pixels, damage: Damage): Pixels {
  switch (damage.problem) {
    case "rotation90":
      return rotate(pixels, damage.turn);
    case "rotation180":
      return rotate(pixels, "half");
    case "dark":
      return darken(pixels, damage.factor);
    case "overexposure":
      return overexpose(pixels, damage.factor);
    case "blur":
      return blur(pixels, damage.sigma);
    case "noise":
      return saltAndPepper(pixels, damage.share, damage.seed);
    case "crop":
      return "box" in damage ? pixels : shrinkInto(pixels, damage.quadrant);
  }
}
