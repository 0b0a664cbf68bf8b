/**
 * MAT's two training files, made: from generated damaged digits, and from the real transcripts beside a checkout.
 */
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Action } from "../../src/core/step.ts";
import { parseStep } from "../../src/protocol/parse.ts";
import { writeStep } from "../../src/protocol/write.ts";
import { demonstrate } from "../../src/tasks/damaged-digits/demonstrations.ts";
import { damagedDigits } from "../../src/tasks/damaged-digits/index.ts";
import { sharedData } from "./requires.ts";

export interface CodingRecord {
  type: "pre_problem" | "pre_code" | "pre_answer";
  image_path: string;
  problem: string;
  context?: string;
  solution: string;
  gt: string;
}

export interface SearchRecord {
  image_path: string;
  problem: string;
  solution: string;
}

const TYPES = { problem: "pre_problem", code: "pre_code", answer: "pre_answer" } as const;
const TIPS = "<tips> fix </tips>";

/** Samples of one chain of steps; `images[i]` is what step i sees. */
function codingRecords(problem: string, steps: readonly string[], images: readonly string[]): CodingRecord[] {
  return steps.map((gt, index) => {
    const [action] = parseStep(gt, "reference").actions as [Action & { type: keyof typeof TYPES }];
    const past = steps.slice(0, index).map((text) => (text.includes("<problem>") ? `${text}\n${TIPS}` : text));
    return {
      type: TYPES[action.type],
      image_path: images[index] ?? "",
      problem,
      ...(index === 0 ? {} : { context: past.join("\n") }),
      solution: gt.slice(gt.indexOf("</think>") + "</think>".length).trim(),
      gt,
    };
  });
}

/**
 * Writes `<folder>/rft_agent_code.json` and `<folder>/images/`: three samples a question, each repaired rightly, in the words of
 * `varft:coding-brief`, which the shipped cold start knows.
 */
export async function writeDigitSteps(folder: string, questions: number): Promise<void> {
  await mkdir(join(folder, "images"), { recursive: true });
  const tasks = damagedDigits({ seed: 3, split: "train", size: questions, kinds: ["rotation180", "dark"] });
  const records: CodingRecord[] = [];
  for (let index = 0; index < questions; index++) {
    const loaded = await tasks.load(index);
    const [damaged, clean] = loaded.images.map((image, part) => ({ image, name: `${index}-${part}.png` }));
    for (const one of [damaged, clean]) await writeFile(join(folder, "images", one!.name), one!.image.png);
    const chances = { problem: { none: 0, right: 1 }, quadrantRight: 1 };
    const steps = demonstrate(loaded, { seed: 1, chances }).map(({ thought, action }) => writeStep(thought, action));
    const images = [damaged!.name, damaged!.name, clean!.name];
    records.push(...codingRecords(loaded.task.public.question, steps, images));
  }
  await writeFile(join(folder, "rft_agent_code.json"), JSON.stringify(records, null, 4));
}

function readShared(name: string): unknown {
  return JSON.parse(readFileSync(join(sharedData, "mat-demo", name), "utf8"));
}

interface Case {
  id: number;
  question: string;
  type: string[];
  ori_image_path: string;
  processed_image_path: string;
}

/** What the published 7B model emitted on MAT-Coding, as training samples; every step keeps the question's image. */
export function codingTranscriptSteps(): CodingRecord[] {
  const cases = readShared("coding_case.json") as Case[];
  const transcripts = readShared("coding_transcripts.json") as { id: number; steps: string[] }[];
  return transcripts.flatMap(({ id, steps }) => {
    const { question, type, ori_image_path, processed_image_path } = cases.find((one) => one.id === id)!;
    const image = type.includes("crop") ? ori_image_path : processed_image_path;
    return codingRecords(
      `<query> ${question} </query>`,
      steps,
      steps.map(() => image),
    );
  });
}

/** What it emitted on MAT-Search, with the results it was given, as training samples. */
export function searchTranscriptSteps(): SearchRecord[] {
  const transcripts = readShared("search_transcripts.json") as {
    question: string;
    image: string;
    steps: string[];
    results: { body: string }[][];
  }[];
  return transcripts.flatMap(({ question, image, steps, results }) =>
    steps.map((solution, index) => {
      const past = steps.slice(0, index).map((step, turn) => {
        const snippets = (results[turn] ?? []).map(({ body }, place) => `${place + 1}. Content:${body}`);
        return `${step}\n<information> ${snippets.join(" ")} </information>`;
      });
      return { image_path: image, problem: [`<query> ${question} </query>`, ...past].join("\n"), solution };
    }),
  );
}
