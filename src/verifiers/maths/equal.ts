/**
 * Equal answers by value. Formulas with variables are compared at seeded points: two different ones agree at all of them only by accident.
 */
import { SeededStream } from "../../core/seeds.ts";
import { evaluate, variablesOf } from "./evaluate.ts";
import { canonicalDecimal } from "./numbers.ts";
import { readFormula } from "./read.ts";

/** Rounding of a few operations, relative. */
const TOLERANCE = 1e-12;
const POINTS = 6;
/** A formula without a value at some points, a logarithm say, is judged at the others. */
const FEWEST_POINTS = 3;

/**
 * True when both are formulas of the same value everywhere: numbers exactly, formulas up to a relative 1e-12. False where either is no
 * formula, too long or too deep. Takes bounded time for any text.
 *
 * @example await mathsEqual("\\frac{1}{2}", "0.5") // true
 */
export async function mathsEqual(a: string, b: string): Promise<boolean> {
  const [written, other] = [canonicalDecimal(a), canonicalDecimal(b)];
  if (written !== null && other !== null) return written === other;
  const [x, y] = await Promise.all([readFormula(a), readFormula(b)]);
  if (x === null || y === null) return false;
  const names = new Set([...variablesOf(x), ...variablesOf(y)]);
  const points = names.size === 0 ? 1 : POINTS;
  let compared = 0;
  for (let point = 0; point < points; point++) {
    const values = new Map([...names].map((name) => [name, 0.5 + 2.5 * new SeededStream("maths", name, point).next()]));
    const [p, q] = [x, y].map((formula) => evaluate(formula, (name) => values.get(name) ?? Number.NaN)) as [
      number,
      number,
    ];
    if (Number.isFinite(p) !== Number.isFinite(q)) return false;
    if (!Number.isFinite(p)) continue;
    if (Math.abs(p - q) > TOLERANCE * Math.max(1e-300, Math.abs(p), Math.abs(q))) return false;
    compared++;
  }
  return compared >= Math.min(points, FEWEST_POINTS);
}

/** True when the text can be compared at all. */
export async function isFormula(text: string): Promise<boolean> {
  return canonicalDecimal(text) !== null || (await readFormula(text)) !== null;
}
