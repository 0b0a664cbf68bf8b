/**
 * Damaged digits: generated tasks that show a three-digit number, clean or damaged, and ask for it. A function of
 * (seed, split, index) alone. What a model might write to repair them is in `repairs.ts`, imperfect examples in `demonstrations.ts`.
 * Not here: how pixels are damaged (`../degradations/`), prompts, rewards.
 *
 * ```ts
 * const tasks = damagedDigits({ seed: 7, split: "train", size: 1000 });
 * const { task, damage } = await tasks.load(3); // tasks.kindOf(3) === "dark"
 * ```
 */
import { ConfigError, DataError } from "../../core/errors.ts";
import { canonicalFromPixels } from "../../core/images.ts";
import { SeededStream } from "../../core/seeds.ts";
import { PROBLEMS } from "../../core/step.ts";
import type { LoadedTask, TaskSet } from "../../core/task.ts";
import { applyDamage, drawDamage, problemsOf, type Damage, type Strengths } from "../degradations/index.ts";
import { calmed, drawNumber } from "./draw.ts";
import { NUMBERS, type Split } from "./splits.ts";

export { SPLITS, type Split } from "./splits.ts";

export const DAMAGED_DIGITS_QUESTION = "Which number?";

/** Damage that leaves 64 x 64 images hard to read, and repairable. */
export const STRENGTHS: Strengths = {
  turn: "clockwise",
  dark: { low: 0.12, high: 0.2 },
  overexposure: { low: 0.12, high: 0.2 },
  blur: { low: 1.9, high: 2.3 },
  noise: { low: 0.14, high: 0.2 },
};

/** `none` first, then every single problem. Add compounds such as `rotation90+dark`. */
export const SINGLE_KINDS: readonly string[] = ["none", ...PROBLEMS.filter((problem) => problem !== "none")];

export interface DamagedDigitsTask extends LoadedTask {
  /** What was done to the clean image, strengths included; empty for kind `none`. */
  damage: Damage[];
}

export interface DamagedDigits extends TaskSet {
  /** Kinds in turn: `kindOf(index) === kinds[index % kinds.length]`. */
  readonly kinds: readonly string[];
  kindOf(index: number): string;
  /** `images` holds the task's image, then its clean original where that is another. */
  load(index: number): Promise<DamagedDigitsTask>;
}

/** Throws `config.bad_kind` for a kind that is none, `config.no_kinds` without any; `load` throws `data.no_such_task`. */
export function damagedDigits(options: {
  seed: number;
  split: Split;
  size: number;
  kinds?: readonly string[];
  /** How much place, size, weight and colours vary, 0 to 1; less makes easier first lessons. */
  variety?: number;
}): DamagedDigits {
  const { seed, split, size, kinds = SINGLE_KINDS, variety = 1 } = options;
  if (kinds.length === 0) {
    throw new ConfigError("config.no_kinds", "damaged digits: expected at least one kind, got none", {
      hint: `Leave kinds out, or name some of ${SINGLE_KINDS.join(", ")}.`,
    });
  }
  const problems = kinds.map(problemsOf);
  const kindOf = (index: number): string => kinds[index % kinds.length]!;
  return {
    name: `damaged-digits/${split}`,
    size,
    kinds,
    kindOf,
    async load(index) {
      if (!Number.isInteger(index) || index < 0 || index >= size) {
        throw new DataError(
          "data.no_such_task",
          `damaged-digits/${split}: expected an index in 0..${size - 1}, got ${index}`,
        );
      }
      const stream = new SeededStream("damaged-digits", seed, split, index);
      const number = stream.pick(NUMBERS[split] as [string, ...string[]]);
      const clean = drawNumber(number, calmed(stream, variety));
      const damage = drawDamage(problems[index % problems.length]!, STRENGTHS, stream);
      const cleanImage = await canonicalFromPixels(clean);
      const image = damage.length === 0 ? cleanImage : await canonicalFromPixels(applyDamage(clean, damage));
      return {
        task: {
          id: `damaged-digits/${split}/${index}`,
          public: { question: DAMAGED_DIGITS_QUESTION, images: [image.sha256] },
          private: { answers: [number], kind: kindOf(index), cleanImage: cleanImage.sha256 },
        },
        images: damage.length === 0 ? [image] : [image, cleanImage],
        damage,
      };
    },
  };
}
