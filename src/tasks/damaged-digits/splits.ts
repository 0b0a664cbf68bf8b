/**
 * Splits, disjoint by construction: the three-digit number decides, through a hash that no seed enters. So a number that is held out
 * appears in no training image of any seed or size, and no set of tasks has to remember another.
 */
import { SeededStream } from "../../core/seeds.ts";

/** `train`: demonstrations and training; `validation`: choices along the way; `test`: the table; `fresh`: nothing was ever tuned on it. */
export const SPLITS = ["train", "validation", "test", "fresh"] as const;
export type Split = (typeof SPLITS)[number];

/** Of 1000 numbers about 700 are for training and 100 for each of the others. */
export function splitOf(number: string): Split {
  const part = new SeededStream("damaged-digits.split", number).integer(0, 9);
  return part < 7 ? "train" : part === 7 ? "validation" : part === 8 ? "test" : "fresh";
}

/** The numbers of each split, ascending, `000` to `999`. */
export const NUMBERS: Readonly<Record<Split, readonly string[]>> = (() => {
  const numbers: Record<Split, string[]> = { train: [], validation: [], test: [], fresh: [] };
  for (let value = 0; value < 1000; value++) {
    const number = String(value).padStart(3, "0");
    numbers[splitOf(number)].push(number);
  }
  return numbers;
})();
