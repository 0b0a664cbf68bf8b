/**
 * Which steps' checkpoints are best by the held-out metric, and whether it still rises. The first of equals wins: more training has to
 * show a gain.
 */
import type { EvaluationRecord } from "../core/records.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import { readRecords } from "../runs/read.ts";

/** What of a recipe's evaluation decides. */
export interface BestBy {
  metric: string;
  /** Evaluations without a new best after which training ends; null: never. */
  patience: number | null;
}

export class BestSteps {
  readonly #by: BestBy | null;
  /** Evaluated steps and their values, the evaluation before training left out: it has no checkpoint. */
  readonly #values = new Map<number, number | null>();

  /** Null: nothing is evaluated, so no step is best. */
  constructor(by: BestBy | null) {
    this.#by = by;
  }

  /** A step that is evaluated again, by a run that resumes before it, counts once. */
  see({ step, scores }: EvaluationRecord): void {
    if (step > 0 && this.#by !== null) this.#values.set(step, scores[this.#by.metric] ?? null);
  }

  /** The best `count` steps, best first. */
  best(count: number): number[] {
    const valued = [...this.#values].flatMap(([step, value]) => (value === null ? [] : [{ step, value }]));
    return valued
      .toSorted((a, b) => b.value - a.value || a.step - b.step)
      .slice(0, count)
      .map(({ step }) => step);
  }

  /** True when `patience` evaluations in a row brought no new best. */
  get exhausted(): boolean {
    const patience = this.#by?.patience ?? null;
    const [best = 0] = this.best(1);
    return patience !== null && [...this.#values.keys()].filter((step) => step > best).length >= patience;
  }

  /** As of the last committed step of a run. */
  static async of(run: Pick<RunFolder, "committed" | "recordsPath">, by: BestBy | null): Promise<BestSteps> {
    const best = new BestSteps(by);
    if (by === null) return best;
    const committed = run.committed?.step ?? 0;
    const { records } = await readRecords(run.recordsPath);
    for (const record of records) if (record.kind === "evaluation" && record.step <= committed) best.see(record);
    return best;
  }
}
