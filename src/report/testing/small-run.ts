/**
 * A finished run that is small enough to reckon by hand: four tasks, two steps, all evaluations.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalFromPixels, type CanonicalImage } from "../../core/images.ts";
import { RECORD_VERSION, type RolloutRecord, type RunRecord, type Turn } from "../../core/records.ts";
import { RunFolder } from "../../runs/run-folder.ts";
import { writeDecisions } from "../decisions.ts";

export interface SmallRunOptions {
  /** Stands wherever a model, a tool or a task set decides the text. */
  text?: string;
  /** All wall-clock figures. */
  seconds?: number;
  recipePath?: string;
  supervised?: boolean;
}

/** Exact match and F1 of the tasks t0 and t1 (kind none), t2 and t3 (kind dark), by evaluation. */
export const SCORES: Readonly<Record<string, readonly (readonly [em: number, f1: number])[]>> = {
  before: [
    [1, 1],
    [0, 0.5],
    [0, 0],
    [0, 0],
  ],
  after: [
    [1, 1],
    [1, 1],
    [1, 1],
    [0, 0],
  ],
  "without-tools": [
    [1, 1],
    [0, 0],
    [0, 0],
    [0, 0],
  ],
  supervised: [
    [1, 1],
    [0, 0],
    [1, 1],
    [0, 0.5],
  ],
};

/** Writes the run to `path`, which must not exist. */
export async function writeSmallRun(path: string, options: SmallRunOptions = {}): Promise<void> {
  const { seconds = 1, recipePath = "/a/small.yaml", supervised = true } = options;
  const recipe = { name: "small", seed: 7, tasks: { set: "damaged-digits" }, note: options.text ?? "" };
  const versions = { "visual-arft": "0.0.0" };
  const run = await RunFolder.create(path, { command: "train", recipe, recipePath, versions });
  const images = await Promise.all([0, 200].map(flatImage));
  for (const image of images) await run.images.put(image);
  await run.append([
    ...[0, 2].map((step) => heldOut(step, options)),
    ...[1, 2].flatMap((step) => trained(step, options)),
  ]);
  await run.close();
  const decision = { decision: "problem", kind: options.text ?? "text", right: 0.4, chance: 0.125, count: 4 };
  await writeDecisions(join(path, "evaluations", "decisions.json"), [decision]);
  for (const [name, scores] of Object.entries(SCORES)) {
    if (name === "supervised" && !supervised) continue;
    const records = scores.flatMap(([em, f1], index) => episode(name, index, em, f1, images, options));
    await writeEvaluation(path, name, [...records, finished(seconds)]);
  }
}

/** Replaces one final evaluation. */
export async function writeEvaluation(path: string, name: string, records: readonly RunRecord[]): Promise<void> {
  const folder = join(path, "evaluations", name);
  await mkdir(folder, { recursive: true });
  const lines = records.map((record) => `${JSON.stringify(record)}\n`);
  await writeFile(join(folder, "records.jsonl"), lines.join(""));
}

function flatImage(grey: number): Promise<CanonicalImage> {
  return canonicalFromPixels({ width: 8, height: 8, rgb: new Uint8Array(8 * 8 * 3).fill(grey) });
}

function heldOut(step: number, { text = "text", seconds = 1 }: SmallRunOptions): RunRecord {
  const em = step / 2;
  const byKind = { [`${text}-none`]: { count: 1, scores: { exact_match: em } } };
  const scores = { exact_match: em };
  const timed = { seconds: { total: seconds } };
  return {
    version: RECORD_VERSION,
    kind: "evaluation",
    step,
    split: "small/validation",
    count: 1,
    scores,
    byKind,
    ...timed,
  };
}

/** One of two tool runs works. */
function trained(step: number, { text = "text", seconds = 1 }: SmallRunOptions): RunRecord[] {
  const turns = (["ok", "failed"] as const).map((status) => ({ ...SILENT, toolRuns: [{ ...TOOL_RUN, status }] }));
  const once = { tokens: 1, patches: 0 };
  const forwarded = { sampling: once, update: once };
  const update = { learningRate: 1, loss: 0, gradNorm: 2, clippedTokens: 0, tokens: 1, policyVersion: step, forwarded };

  const rewards = {
    rewardMean: step,
    rewardStd: 0,
    rewardParts: { exact_match: 0.5, [text]: 1 },
    silentGroups: 1,
    groups: 4,
  };
  return [
    { ...ROLLOUT, id: `${step}/t/0`, step, purpose: "training", turns },
    {
      version: RECORD_VERSION,
      kind: "update",
      step,
      mismatch: { mean: 0.25, max: 1 },
      rows: [],
      ...update,
      ...rewards,
      seconds: {
        rollouts: 2 * seconds,
        update: seconds,
        engine: 2.25 * seconds,
        tools: 0.6 * seconds,
        control: 0.15 * seconds,
      },
    },
  ];
}

const TOOL_RUN = { tool: "code", input: {}, text: null, images: [], replacesImage: false, detail: {}, seconds: 0 };

const SILENT: Turn = {
  promptDigest: null,
  text: "",
  tokenIds: null,
  logprobs: null,
  noiseKey: null,
  policyVersion: null,
  stopReason: "stop",
  step: { thought: null, actions: [], faults: [] },
  toolRuns: [],
  seconds: {},
};

const ROLLOUT: RolloutRecord = {
  version: RECORD_VERSION,
  kind: "rollout",
  id: "",
  step: 2,
  purpose: "evaluation",
  taskId: "t",
  taskKind: "none",
  rollout: 0,
  task: { question: "", images: [] },
  turns: [],
  stop: "answered",
  answer: null,
  nondeterminism: [],
};

/** Kind `dark` runs code in every evaluation but `without-tools`; t3 runs out of turns, its code fails and a step is malformed. */
function episode(
  name: string,
  index: number,
  em: number,
  f1: number,
  [given, made]: readonly CanonicalImage[],
  { text = "text" }: SmallRunOptions,
): RunRecord[] {
  const [dark, lost] = [index >= 2, index === 3];
  const status = lost ? ("failed" as const) : ("ok" as const);
  const run = { ...TOOL_RUN, tool: text, status, text, images: lost ? [] : [made!.sha256], replacesImage: !lost };
  const turns: Turn[] = [
    { ...SILENT, text, step: { thought: text, actions: [{ type: "problem", problems: [text] }], faults: [] } },
    {
      ...SILENT,
      text,
      toolRuns: dark && name !== "without-tools" ? [run] : [],
      step: {
        thought: null,
        actions: [
          { type: "code", source: text },
          { type: "search", query: text },
        ],
        faults: lost ? ["no_thought"] : [],
      },
    },
    { ...SILENT, text, step: { thought: null, actions: [{ type: "answer", text }], faults: [] } },
  ];
  const taskId = `${text}/t${index}`;
  const id = `2/${taskId}/0`;
  const task = { question: text, images: [given!.sha256] };
  const [stop, answer] = lost ? (["turn_limit", null] as const) : (["answered", text] as const);
  const part = (verifier: string, score: number) => ({ verifier, weight: 1, score, detail: { golds: [text] } });
  return [
    { ...ROLLOUT, id, taskId, taskKind: dark ? `${text}-dark` : `${text}-none`, task, turns, stop, answer },
    {
      version: RECORD_VERSION,
      kind: "score",
      rolloutId: id,
      reward: em,
      parts: [part("exact_match", em), part("f1", f1)],
    },
  ];
}

function finished(seconds: number): RunRecord {
  const head = { version: RECORD_VERSION, kind: "evaluation", step: 2, split: "small/test", count: 4 } as const;
  return { ...head, scores: {}, byKind: {}, seconds: { total: seconds } };
}
