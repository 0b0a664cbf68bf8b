import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROBLEMS, type Action } from "../core/step.ts";
import { parseStep } from "./parse.ts";
import { writeStep } from "./write.ts";

/** Text without anything that the protocol gives a meaning to. */
const plain = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
  .map((text) => text.trim())
  .filter((text) => text !== "" && !/[<>`]/.test(text));

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.uniqueArray(fc.constantFrom(...PROBLEMS), { minLength: 1, maxLength: 3 }).map((problems) => ({
    type: "problem" as const,
    problems: [...problems],
  })),
  plain.map((source) => ({ type: "code" as const, source })),
  plain.map((query) => ({ type: "search" as const, query })),
  plain.map((text) => ({ type: "answer" as const, text })),
);

/** Random text rich in the protocol's own markers. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "<think>",
        "</think>",
        "<code>",
        "</code>",
        "<answer>",
        "</answer>",
        "<problem>",
        "</problem>",
        "<search>",
        "</search>",
        "```python",
        "```",
        "{'dark'}",
        "'",
        '"',
        "<",
        ">",
        "\n",
        "\u0000",
        "\ud800",
      ),
      fc.string({ maxLength: 8 }),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => pieces.join(""));

describe("parseStep", () => {
  it("gives back what writeStep wrote", () => {
    fc.assert(
      fc.property(plain, action, (thought, act) => {
        const step = parseStep(writeStep(thought, act), "strict");
        expect(step).toEqual({ thought, actions: [act], faults: [] });
        expect(parseStep(writeStep(thought, act), "reference").actions).toEqual([act]);
      }),
    );
  });

  it("never throws, and strict yields one action or a fault, never both", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const strict = parseStep(text, "strict");
        expect(strict.actions.length).toBeLessThanOrEqual(1);
        expect(strict.actions.length === 1).toBe(strict.faults.length === 0);
        parseStep(text, "reference");
      }),
      { numRuns: 2000 },
    );
  });

  it("takes linear work: a megabyte of markers of every kind is read at once", () => {
    // A quadratic parser needs hours for these; the runner's own time limit is the judge.
    for (const unit of [
      "<think>",
      "</think>",
      "<code>",
      "<answer>",
      "```python",
      "'",
      "'dark',",
      "<problem>{'",
      "<a",
    ]) {
      const text = unit.repeat(1_000_000 / unit.length);
      for (const wrapped of [
        text,
        `<think>x</think><code>${text}</code>`,
        `<think>x</think><problem>${text}</problem>`,
      ]) {
        expect(parseStep(wrapped, "strict").actions).toEqual([]);
        expect(parseStep(wrapped, "reference").thought?.length ?? 0).toBeLessThan(2);
      }
    }
  });

  const think = "<think>t</think>";
  const code = "<code>```python\nx\n```</code>";
  it.each([
    ["", ["no_action", "no_thought"]],
    ["<answer>a</answer>", ["no_thought"]],
    [think, ["no_action"]],
    [`${think}<answer> </answer>`, ["empty_action"]],
    [`${think}${think}<answer>a</answer>`, ["repeated_tag"]],
    [`${think}<answer>a</answer><answer>b</answer>`, ["repeated_tag"]],
    [`${think}<answer>a</answer>${code}`, ["several_actions"]],
    [`<answer>a</answer>${think}`, ["thought_after_action"]],
    [`${think}<answer>a`, ["no_action", "unclosed_tag"]],
    [`hello ${think}<answer>a</answer>`, ["text_outside_tags"]],
    [`${think}<answer>a</answer> bye`, ["text_outside_tags"]],
    [`${think}<code>x</code>`, ["code_not_fenced"]],
    [`${think}<code>\`\`\`python\nx\n\`\`\` and \`\`\`python\ny\n\`\`\`</code>`, ["code_not_fenced"]],
    [`${think}<problem>{'sepia'}</problem>`, ["unknown_problem"]],
    [`${think}<problem>{'dark','dark'}</problem>`, ["unknown_problem"]],
    [`${think}<problem>dark</problem>`, ["unknown_problem"]],
    [`${think}<code>\`\`\`python\nprint('<answer>7</answer>')\n\`\`\`</code>`, ["nested_tag"]],
  ])("strict: %j is malformed: %j", (text, faults) => {
    expect(parseStep(text, "strict")).toMatchObject({ actions: [], faults });
  });

  it("reference: any answer ends, whatever else the step holds", () => {
    const step = parseStep(`<problem>{'dark'}</problem>${code} stray <answer> 7 </answer>`, "reference");
    expect(step.actions).toEqual([{ type: "answer", text: "7" }]);
  });

  it("reference: problem and code of one step are both taken, problem first", () => {
    expect(parseStep(`${code}<problem>{"dark", 'blur'}</problem>`, "reference").actions).toEqual([
      { type: "problem", problems: ["dark", "blur"] },
      { type: "code", source: "x" },
    ]);
  });

  it("reference: code without a fence is no action", () => {
    expect(parseStep("<code>x = 1</code>", "reference")).toMatchObject({
      actions: [],
      faults: ["code_not_fenced", "no_action"],
    });
  });
});
