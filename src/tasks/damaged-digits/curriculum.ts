/**
 * Rows of a cold start: one turn of a demonstrated episode each, drawn for a place in the training run. A curriculum is a list of
 * stages that mix such rows differently.
 */
import { ConfigError } from "../../core/errors.ts";
import { SeededStream } from "../../core/seeds.ts";
import { demonstrate, demonstrateReading, type DemonstratedStep, type DemonstrationChances } from "./demonstrations.ts";
import type { DamagedDigits, DamagedDigitsTask } from "./index.ts";

/** Which turn a row teaches. `reading`: the answer at once, to a model that knows no protocol yet. */
export const ROW_TURNS = ["reading", "problem", "code", "answer"] as const;
export type RowTurn = (typeof ROW_TURNS)[number];

export interface RowRecipe {
  turn: RowTurn;
  /** One of these kinds, each as likely; a kind may stand here twice. */
  kinds: readonly [string, ...string[]];
  chances: DemonstrationChances;
}

export interface DemonstratedRow {
  loaded: DamagedDigitsTask;
  /** Earlier turns of the demonstration. */
  before: DemonstratedStep[];
  /** What the row teaches. */
  step: DemonstratedStep;
}

/** Images that a curriculum can draw: enough for none to come twice. */
const IMAGES = 2 ** 40;
const MOST_DRAWS = 100;

/**
 * The row at `place` (for example stage, step, number within the step): a function of the set, the recipe and the place alone.
 * An episode without such a turn is drawn again. Throws `config.no_such_turn` where none has one.
 */
export async function drawRow(
  tasks: DamagedDigits,
  recipe: RowRecipe,
  place: readonly (string | number)[],
): Promise<DemonstratedRow> {
  const stream = new SeededStream("damaged-digits.curriculum", ...place);
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const kind = tasks.kinds.indexOf(stream.pick(recipe.kinds));
    if (kind < 0) break;
    const many = Math.floor(Math.min(tasks.size, IMAGES) / tasks.kinds.length);
    const loaded = await tasks.load(stream.integer(0, many - 1) * tasks.kinds.length + kind);
    const steps =
      recipe.turn === "reading"
        ? demonstrateReading(loaded)
        : demonstrate(loaded, { seed: stream.integer(0, 2 ** 32 - 1), chances: recipe.chances });
    const turn = steps.findIndex(({ action }) => action.type === (recipe.turn === "reading" ? "answer" : recipe.turn));
    const step = steps[turn];
    if (step !== undefined) return { loaded, before: steps.slice(0, turn), step };
  }
  throw new ConfigError(
    "config.no_such_turn",
    `no demonstration of kinds ${recipe.kinds.join(", ")} has a ${recipe.turn} turn`,
    {
      hint: "Raise the chance of another problem than none, or name other kinds.",
    },
  );
}
