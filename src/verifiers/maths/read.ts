/**
 * An answer's text to a formula: LaTeX to plain notation, mathjs's parser, and only nodes of a short list.
 */
import type { MathNode } from "mathjs";

/** Longer answers are not formulas. */
const MOST_CHARACTERS = 200;
const MOST_DEPTH = 20;

export type Formula =
  | { type: "number"; value: number }
  | { type: "variable"; name: string }
  | { type: "call"; name: string; arguments: Formula[] };

/** Functions with their number of arguments; `-` with one is the sign. */
export const FUNCTIONS: Readonly<Record<string, readonly number[]>> = {
  "+": [1, 2],
  "-": [1, 2],
  "*": [2],
  "/": [2],
  "^": [2],
  sqrt: [1],
  nthRoot: [2],
  abs: [1],
  sin: [1],
  cos: [1],
  tan: [1],
  exp: [1],
  log: [1],
};

/** Null for what is no formula: words, dates, units, assignments, anything too long or too deep. */
export async function readFormula(text: string): Promise<Formula | null> {
  const plain = plainNotation(text);
  if (plain === null) return null;
  // Loaded when first needed: it takes a second, and most answers are words.
  const { parse } = await import("mathjs/number");
  try {
    return fromNode(parse(plain));
  } catch {
    return null;
  }
}

const DATE = /^\d{1,4}([-/])\d{1,2}\1\d{1,4}$/;
const SYMBOLS: readonly (readonly [RegExp, string])[] = [
  [/\\(?:left|right|,|;|!|:| |\(|\)|\[|\])|\$/g, ""],
  [/\\(?:d|t)frac(?![a-z])/g, "\\frac"],
  [/\\(?:cdot|times)(?![a-z])|[×·]/g, "*"],
  [/\\div(?![a-z])|÷/g, "/"],
  [/[−–]/g, "-"],
  [/\\pi(?![a-z])|π/g, "(pi)"],
  [/\\%/g, "%"],
  [/\\ln(?![a-z])/g, "log"],
  [/\\(sin|cos|tan|exp|log)(?![a-z])/g, "$1"],
  // The left side of `x = 5`.
  [/^\s*[a-zA-Z]\s*=(?!=)/, ""],
];
const THOUSANDS = /(?<![\d.])\d{1,3}(?:,\d{3})+(?![\d,])/g;

/** `$\frac{1}{2}x^{2}$` -> `((1)/(2))x^(2)`; of `x = 5` the right side. Null when it cannot be a formula. */
function plainNotation(text: string): string | null {
  const trimmed = text.trim().replace(/\.$/, "");
  if (trimmed.length > MOST_CHARACTERS || !/\d|\\/.test(trimmed) || DATE.test(trimmed)) return null;
  const spelt = SYMBOLS.reduce((now, [from, to]) => now.replace(from, to), trimmed);
  const plain = withoutBraces(spelt.replace(THOUSANDS, (found) => found.replaceAll(",", "")));
  return plain.includes("\\") || depthOf(plain) > MOST_DEPTH ? null : plain;
}

/** Innermost groups first; so many passes as groups may nest. */
function withoutBraces(text: string): string {
  let now = text;
  for (let pass = 0; pass < MOST_DEPTH; pass++) {
    const next = now
      .replace(/\\boxed\{([^{}]*)\}/g, "($1)")
      .replace(/\\frac\{([^{}]*)\}\{([^{}]*)\}/g, "(($1)/($2))")
      .replace(/\\sqrt\[([^[\]{}]*)\]\{([^{}]*)\}/g, "nthRoot(($2),($1))")
      .replace(/\\sqrt\{([^{}]*)\}/g, "sqrt($1)")
      .replace(/\^\{([^{}]*)\}/g, "^($1)");
    if (next === now) return now;
    now = next;
  }
  return now;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === "(") deepest = Math.max(deepest, ++depth);
    else if (character === ")") depth--;
  }
  // `-` and `^` nest without parentheses.
  return deepest + (/[-+^]{3,}/.test(text.replace(/\s/g, "")) ? MOST_DEPTH : 0);
}

/** The tree with what may stand in it; throws on anything else. */
function fromNode(node: MathNode): Formula {
  const { type } = node;
  const inner = node as unknown as {
    value: unknown;
    name: string;
    content: MathNode;
    fn: unknown;
    op: string;
    args: MathNode[];
  };
  switch (type) {
    case "ParenthesisNode":
      return fromNode(inner.content);
    case "ConstantNode":
      if (typeof inner.value === "number" && Number.isFinite(inner.value))
        return { type: "number", value: inner.value };
      throw new TypeError("not a number");
    case "SymbolNode":
      if (inner.name === "pi") return { type: "number", value: Math.PI };
      if (inner.name === "e") return { type: "number", value: Math.E };
      if (/^[a-zA-Z]$/.test(inner.name)) return { type: "variable", name: inner.name };
      throw new TypeError("a word");
    case "OperatorNode":
      return call(inner.op, inner.args);
    case "FunctionNode": {
      const { name = "" } = inner.fn as { name?: string };
      // `x(x + 1)` is a product.
      return /^[a-zA-Z]$/.test(name) ? product(name, inner.args) : call(name, inner.args);
    }
    default:
      throw new TypeError(`no ${type}`);
  }
}

function call(name: string, args: readonly MathNode[]): Formula {
  const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (known?.includes(args.length) !== true) throw new TypeError(`no ${name} of ${args.length}`);
  return { type: "call", name, arguments: args.map(fromNode) };
}

function product(name: string, [factor, ...others]: readonly MathNode[]): Formula {
  if (factor === undefined || others.length > 0) throw new TypeError(`no ${name} of ${others.length + 1}`);
  const left: Formula = name === "e" ? { type: "number", value: Math.E } : { type: "variable", name };
  return { type: "call", name: "*", arguments: [left, fromNode(factor)] };
}
