import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Action } from "../../core/step.ts";
import { loadMatSteps, type MatSteps } from "./index.ts";

/** Stands for the protocol's: the one action that a solution of these tests holds. */
function readActions(text: string): Action[] {
  const [, tag, body = ""] = /<(problem|code|search|answer)>(.*?)<\/\1>/s.exec(text) ?? [];
  const inner = body.trim();
  if (tag === "problem")
    return [{ type: "problem", problems: [...inner.matchAll(/'(.*?)'/g)].map(([, name = ""]) => name) }];
  if (tag === "code") return [{ type: "code", source: inner }];
  if (tag === "search") return [{ type: "search", query: inner }];
  return tag === "answer" ? [{ type: "answer", text: inner }] : [];
}

const query = "<query> Which number? </query>";
const chain = "<think> look </think>\n<problem> {'dark'} </problem>\n<tips> fix it </tips>";
const problem = {
  type: "pre_problem",
  image_path: "a.png",
  problem: query,
  solution: "<problem> {'dark', 'rotation90'} </problem>",
  gt: "<think> look </think> <problem> {'dark', 'rotation90'} </problem>",
};
const code = { ...problem, type: "pre_code", context: chain, solution: "<code> x = 1 </code>" };
const answer = { ...problem, type: "pre_answer", context: chain, solution: "<answer> 507 </answer>" };
const search = { image_path: "a.png", problem: `${query}\n<think> a </think>`, solution: "<search> Vermeer </search>" };
const searchAnswer = { ...search, solution: "<think> b </think>\n<answer> Yes </answer>" };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-mat-steps-"));
  const image = { create: { width: 30, height: 10, channels: 3, background: "#345678" } } as const;
  await sharp(image).png().toFile(join(folder, "a.png"));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(
  records: unknown,
  options: { skipBad?: boolean; squash?: number; size?: number } = {},
): Promise<MatSteps> {
  const file = join(folder, "steps.json");
  await writeFile(file, typeof records === "string" ? records : JSON.stringify(records));
  const { skipBad = false, squash = null, size = null } = options;
  return loadMatSteps({ file, images: folder, skipBad, squash, size, readActions });
}

describe("a training file", () => {
  it("of agentic coding: the recorded text as the reference joins it, the expected action, answers for answers alone", async () => {
    const tasks = await load([problem, code, answer]);
    const loaded = await Promise.all([0, 1, 2].map((index) => tasks.load(index)));
    expect(loaded.map(({ task }) => ({ question: task.public.question, ...task.private }))).toEqual([
      {
        question: query,
        kind: "problem",
        answers: [],
        expected: { type: "problem", problems: ["dark", "rotation90"] },
      },
      { question: `${query}\n${chain}`, kind: "code", answers: [], expected: { type: "code", source: "x = 1" } },
      { question: `${query}\n${chain}`, kind: "answer", answers: ["507"], expected: { type: "answer", text: "507" } },
    ]);
    expect(loaded.map(({ task }) => task.id)).toEqual(["mat-steps/0", "mat-steps/1", "mat-steps/2"]);
    expect(loaded[0]?.images[0]).toMatchObject({ width: 30, height: 10 });
    expect([0, 1, 2].map((index) => tasks.kindOf(index))).toEqual(["problem", "code", "answer"]);
  });

  it("of agentic search", async () => {
    const tasks = await load([search, searchAnswer]);
    const { task } = await tasks.load(0);
    expect(task).toMatchObject({
      public: { question: `${query}\n<think> a </think>` },
      private: { kind: "search", answers: [], expected: { type: "search", query: "Vermeer" } },
    });
    expect((await tasks.load(1)).task.private.answers).toEqual(["Yes"]);
  });

  it("squashes images, aspect ignored, and takes the first samples", async () => {
    const tasks = await load([search, searchAnswer, "not looked at"], { squash: 72, size: 2 });
    expect(tasks.size).toBe(2);
    expect((await tasks.load(0)).images[0]).toMatchObject({ width: 72, height: 72 });
  });
});

describe("a bad record", () => {
  it.each([
    ["type", { ...problem, type: "pre_thought" }, "pre_thought"],
    ["problem", { ...problem, problem: 5 }, "got 5"],
    ["context", { ...code, context: undefined }, "got nothing"],
    ["context", { ...problem, context: "early" }, "early"],
    ["gt", { ...answer, gt: undefined }, "got nothing"],
    ["image_path", { ...search, image_path: "/etc/passwd" }, "/etc/passwd"],
    ["solution", { ...code, solution: "<answer> 5 </answer>" }, 'expected <code>, got \\"<answer> 5'],
    ["solution", { ...search, solution: "Vermeer" }, "expected <search> or <answer>"],
    ["solution", { ...problem, solution: "<problem> {'fog'} </problem>" }, "fog"],
    ["", 7, "the record"],
  ])("is named: field %s of %j", async (field, record, said) => {
    await expect(load([problem, record])).rejects.toMatchObject({
      code: "data.bad_record",
      message: expect.stringMatching(/steps\.json: record 1: /) as string,
      hint: expect.stringContaining("--skip-bad") as string,
      details: { index: 1, field },
    });
    await expect(load([problem, record])).rejects.toThrow(said.replaceAll("\\", ""));
  });

  it("with a missing image is named with both", async () => {
    await expect(load([problem, { ...code, image_path: "gone.png" }])).rejects.toMatchObject({
      code: "data.missing_file",
      message: expect.stringMatching(/record 1: image_path: .*gone\.png/) as string,
    });
  });

  it("is left out with skipBad, and counted; the others keep their ids", async () => {
    const broken = JSON.stringify([problem, code, answer, search]).replace('"pre_code"', "pre_code");
    const tasks = await load(broken, { skipBad: true });
    expect(tasks.size).toBe(3);
    expect(tasks.skipped.map(({ message }) => message)).toEqual([expect.stringContaining("record 1: not JSON")]);
    expect((await tasks.load(1)).task.id).toBe("mat-steps/2");
  });

  it("leaves nothing: an error, not an empty set", async () => {
    await expect(load([])).rejects.toMatchObject({ code: "data.no_tasks" });
    await expect(load([7], { skipBad: true })).rejects.toMatchObject({
      code: "data.no_tasks",
      hint: expect.stringContaining("record 0") as string,
    });
    await expect(load('[{"type"', { skipBad: true })).rejects.toMatchObject({ code: "data.not_json" });
  });
});
