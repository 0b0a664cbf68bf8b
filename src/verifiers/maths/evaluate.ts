/**
 * A formula to a number, in float64.
 */
import type { Formula } from "./read.ts";

/** NaN or infinite where the formula has no value there. `valueOf` gives each variable its value. */
export function evaluate(formula: Formula, valueOf: (name: string) => number): number {
  switch (formula.type) {
    case "number":
      return formula.value;
    case "variable":
      return valueOf(formula.name);
    case "call":
      return apply(
        formula.name,
        formula.arguments.map((inner) => evaluate(inner, valueOf)),
      );
  }
}

function apply(name: string, [a = Number.NaN, b]: readonly number[]): number {
  switch (name) {
    case "+":
      return b === undefined ? a : a + b;
    case "-":
      return b === undefined ? -a : a - b;
    case "*":
      return a * (b ?? Number.NaN);
    case "/":
      return a / (b ?? Number.NaN);
    case "^":
      return a ** (b ?? Number.NaN);
    case "sqrt":
      return Math.sqrt(a);
    case "nthRoot":
      return a < 0 && b !== undefined && Math.abs(b % 2) === 1 ? -((-a) ** (1 / b)) : a ** (1 / (b ?? Number.NaN));
    case "abs":
      return Math.abs(a);
    case "sin":
      return Math.sin(a);
    case "cos":
      return Math.cos(a);
    case "tan":
      return Math.tan(a);
    case "exp":
      return Math.exp(a);
    case "log":
      return Math.log(a);
    default:
      return Number.NaN;
  }
}

/** Names of the variables in it. */
export function variablesOf(formula: Formula): Set<string> {
  if (formula.type === "number") return new Set();
  if (formula.type === "variable") return new Set([formula.name]);
  return new Set(formula.arguments.flatMap((inner) => [...variablesOf(inner)]));
}
