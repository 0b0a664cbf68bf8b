/**
 * Demonstrations of the damaged digits as training rows, as probes of decisions, and as texts for a tokenizer.
 */
import { MemoryImageStore } from "../../core/images.ts";
import type { EngineClient } from "../../engine/client.ts";
import type { Environment } from "../../environment/environment.ts";
import { messagesAfter } from "../../episodes/scripted.ts";
import type { PromptSet } from "../../protocol/prompt-set.ts";
import { writeStep } from "../../protocol/write.ts";
import { drawRow, type RowRecipe } from "../../tasks/damaged-digits/curriculum.ts";
import { demonstrate, type DemonstratedStep } from "../../tasks/damaged-digits/demonstrations.ts";
import {
  DAMAGED_DIGITS_QUESTION,
  SINGLE_KINDS,
  damagedDigits,
  type DamagedDigits,
} from "../../tasks/damaged-digits/index.ts";
import type { DecisionProbe } from "../../training/decisions.ts";
import type { Stage } from "../../training/recipe/supervised-schema.ts";
import type { DemonstratedTurn } from "../../training/supervised.ts";

/** As many as anybody can draw. */
const UNLIMITED = 2 ** 44;

/** Diagnosis and quadrant right: the history in which each later decision is asked for. */
const ALL_RIGHT = { problem: { none: 0, right: 1 }, quadrantRight: 1 };

export function demonstrationTasks(seed: number, variety = 1): DamagedDigits {
  return damagedDigits({ seed, split: "train", size: UNLIMITED, variety });
}

/** The rows of one step: what sorts, and where in the training they are, which decides what is drawn. */
export interface RowMix {
  sorts: Stage["rows"];
  place: readonly (string | number)[];
}

export interface DemonstrationSourceOptions {
  /** Of the task set. */
  seed: number;
  mixOf: (step: number) => RowMix;
  /** Its `images` are not used: each step has its own, forgotten when it is done. */
  environment: Environment;
}

/** Rows step by step, and the images of those that are under way. */
export class DemonstrationSource {
  readonly #images = new Map<number, MemoryImageStore>();
  readonly #options: DemonstrationSourceOptions;

  constructor(options: DemonstrationSourceOptions) {
    this.#options = options;
  }

  async #rows(step: number, signal: AbortSignal): Promise<DemonstratedTurn[]> {
    const { seed, mixOf } = this.#options;
    const { sorts, place } = mixOf(step);
    const images = new MemoryImageStore();
    this.#images.set(step, images);
    const environment = { ...this.#options.environment, images };
    const rows = sorts.flatMap((sort, part) =>
      Array.from({ length: sort.count }, (_, number) => ({ sort, at: [...place, part, number] })),
    );
    return Promise.all(
      rows.map(async ({ sort, at }) => {
        const {
          loaded,
          before,
          step: taught,
        } = await drawRow(demonstrationTasks(seed, sort.variety), rowRecipe(sort), at);
        return { messages: await messagesAfter(loaded, before.map(textOf), environment, signal), text: textOf(taught) };
      }),
    );
  }

  /**
   * Rows of `step`; repaired images come from the real sandbox. Their images are with the worker already, so that it computes
   * without waiting for them.
   */
  async rows(step: number, client: EngineClient, signal: AbortSignal): Promise<DemonstratedTurn[]> {
    const rows = await this.#rows(step, signal);
    const shown = rows.flatMap(({ messages }) => messages.flatMap(({ content }) => content));
    const images = new Set(shown.flatMap((part) => (part.type === "image" ? [part.sha256] : [])));
    const bytes = async (sha256: string): Promise<Uint8Array> => (await this.#images.get(step)!.get(sha256)).png;
    await client.putImages([...images], bytes, { signal });
    return rows;
  }

  /** PNG bytes of an image of the steps under way; null for any other. */
  async imageBytes(sha256: string): Promise<Uint8Array | null> {
    const found = await Promise.allSettled([...this.#images.values()].map((store) => store.get(sha256)));
    return found.find((one) => one.status === "fulfilled")?.value.png ?? null;
  }

  /** The step's images are with the worker. */
  done(step: number): void {
    this.#images.delete(step);
  }
}

function rowRecipe({ turn, kinds, chances: { quadrantRight, ...problem } }: Stage["rows"][number]): RowRecipe {
  return { turn, kinds: (kinds ?? SINGLE_KINDS) as [string, ...string[]], chances: { problem, quadrantRight } };
}

function textOf({ thought, action }: DemonstratedStep): string {
  return writeStep(thought, action);
}

/** Everything that demonstrations say and are told, for a new model's tokenizer. */
export async function demonstratedTexts(tasks: DamagedDigits, prompts: PromptSet, count: number): Promise<string[]> {
  const said = await Promise.all(
    Array.from({ length: count }, async (_, index) =>
      demonstrate(await tasks.load(index), { seed: index, chances: ALL_RIGHT }).map(textOf),
    ),
  );
  return [DAMAGED_DIGITS_QUESTION, ...said.flat(), ...Object.values(prompts.tips)];
}

/** Every decision of the first `perKind` tasks of each kind, asked for where all earlier ones were right. */
export async function decisionProbes(
  options: { seed: number; split: "validation" | "test" | "fresh"; perKind: number; environment: Environment },
  signal: AbortSignal,
): Promise<DecisionProbe[]> {
  const { seed, split, perKind, environment } = options;
  const tasks = damagedDigits({ seed, split, size: perKind * SINGLE_KINDS.length });
  const indices = Array.from({ length: tasks.size }, (_, index) => index);
  const probes = await Promise.all(
    indices.map(async (index) => {
      const loaded = await tasks.load(index);
      const steps = demonstrate(loaded, { seed, chances: ALL_RIGHT });
      const texts = steps.map(textOf);
      const of = steps.map(async ({ thought, decisions }, turn) => {
        if (decisions.length === 0) return [];
        const messages = await messagesAfter(loaded, texts.slice(0, turn), environment, signal);
        return decisions.map(({ name, candidates }) => ({
          decision: name,
          kind: tasks.kindOf(index),
          messages,
          candidates: candidates.map(({ right, action }) => ({ right, text: writeStep(thought, action) })),
        }));
      });
      return (await Promise.all(of)).flat();
    }),
  );
  return probes.flat().toSorted((a, b) => order(a) - order(b));
}

/** Diagnoses first, then repairs; kinds as the task set has them. */
function order({ decision, kind }: DecisionProbe): number {
  return (decision === "problem" ? 0 : SINGLE_KINDS.length) + SINGLE_KINDS.indexOf(kind);
}
