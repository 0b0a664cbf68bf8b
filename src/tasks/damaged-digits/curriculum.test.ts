import { describe, expect, it } from "vitest";
import { drawRow, type RowRecipe } from "./curriculum.ts";
import { damagedDigits } from "./index.ts";

const tasks = damagedDigits({ seed: 3, split: "train", size: 2 ** 44 });
const recipe = (part: Partial<RowRecipe>): RowRecipe => ({
  turn: "problem",
  kinds: ["dark", "crop"],
  chances: { problem: { none: 0.3, right: 0.6 }, quadrantRight: 0.5 },
  ...part,
});

describe("drawRow", () => {
  it.each([
    ["reading", "answer", [[]]],
    ["problem", "problem", [[]]],
    ["code", "code", [["problem"]]],
    ["answer", "answer", [["problem"], ["problem", "code"]]],
  ] as const)("a %s row teaches a step of type %s after the turns before it", async (turn, type, histories) => {
    const { before, step } = await drawRow(tasks, recipe({ turn, kinds: ["dark"] }), ["a", 1]);
    expect(step.action.type).toBe(type);
    expect(histories).toContainEqual(before.map(({ action }) => action.type));
  });

  it("is a function of the place: again the same, elsewhere another image", async () => {
    const draw = async (place: (string | number)[]) =>
      JSON.stringify((await drawRow(tasks, recipe({}), place)).loaded.task);
    expect(await draw([1, 2, 3])).toBe(await draw([1, 2, 3]));
    const drawn = await Promise.all(Array.from({ length: 20 }, (_, number) => draw([1, 2, number])));
    expect(new Set(drawn).size).toBe(20);
  });

  it("draws the kinds it is given, in their shares", async () => {
    const kinds = recipe({ kinds: ["dark", "crop", "crop"] });
    const drawn = await Promise.all(
      Array.from(
        { length: 120 },
        async (_, number) => (await drawRow(tasks, kinds, [number])).loaded.task.private.kind,
      ),
    );
    const crops = drawn.filter((kind) => kind === "crop").length;
    expect(drawn.filter((kind) => kind === "dark").length).toBe(120 - crops);
    // Expected 80, standard deviation 5.2.
    expect(Math.abs(crops - 80)).toBeLessThan(22);
  });

  it("refuses what no demonstration has", async () => {
    const never = { problem: { none: 1, right: 0 }, quadrantRight: 0 };
    await expect(drawRow(tasks, recipe({ turn: "code", chances: never }), [1])).rejects.toMatchObject({
      code: "config.no_such_turn",
    });
    await expect(drawRow(tasks, recipe({ kinds: ["moon"] }), [1])).rejects.toMatchObject({
      code: "config.no_such_turn",
    });
  });
});
