/**
 * The benchmarks whose answers are scored, by name.
 */
import type { MatVariant } from "../verifiers/matching/normalise.ts";

export type Split = "simple" | "hard";

export interface Benchmark {
  name: string;
  variant: MatVariant;
  /** Cases are numbered from 1; the first `simple` of them are simple, the rest hard. Null: the benchmark has no splits. */
  splits: { simple: number; count: number } | null;
}

/** MAT (arXiv 2505.14246) and the four text-only sets that the paper transfers to. */
export const BENCHMARKS = {
  "mat-coding": { name: "mat-coding", variant: "coding", splits: { simple: 70, count: 200 } },
  "mat-search": { name: "mat-search", variant: "search", splits: { simple: 75, count: 150 } },
  "2wiki": { name: "2wiki", variant: "search", splits: null },
  hotpotqa: { name: "hotpotqa", variant: "search", splits: null },
  musique: { name: "musique", variant: "search", splits: null },
  bamboogle: { name: "bamboogle", variant: "search", splits: null },
} as const satisfies Record<string, Benchmark>;
