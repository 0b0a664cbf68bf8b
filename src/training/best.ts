/**
 * Which step's checkpoint is best by the held-out metric. The first of equals wins: more training has to show a gain.
 */
import type { EvaluationRecord } from "../core/records.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import { readRecords } from "../runs/read.ts";

export class BestStep {
  readonly #metric: string | null;
  #value = -Infinity;
  /** Null before the first evaluation of a trained step. */
  step: number | null = null;

  /** Null: nothing is evaluated, so no step is best. */
  constructor(metric: string | null) {
    this.#metric = metric;
  }

  see({ step, scores }: EvaluationRecord): void {
    const value = this.#metric === null ? null : (scores[this.#metric] ?? null);
    if (step === 0 || value === null || value <= this.#value) return;
    this.#value = value;
    this.step = step;
  }

  /** As of the last committed step of a run. */
  static async of(run: RunFolder, metric: string | null): Promise<BestStep> {
    const best = new BestStep(metric);
    if (metric === null) return best;
    const committed = run.committed?.step ?? 0;
    const { records } = await readRecords(run.recordsPath);
    for (const record of records) if (record.kind === "evaluation" && record.step <= committed) best.see(record);
    return best;
  }
}
