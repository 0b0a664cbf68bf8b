/**
 * The tiny model of a recipe: a seeded two-layer Qwen2.5-VL, taught the step format by demonstrated episodes that run in the
 * real environment. Built once per (seed, steps, prompts), kept under the home folder.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { MemoryImageStore } from "../../core/images.ts";
import { homeFolder } from "../../core/installation.ts";
import { SeededStream } from "../../core/seeds.ts";
import { startEngine } from "../../engine/supervisor.ts";
import type { Environment } from "../../environment/environment.ts";
import type { Episode } from "../../episodes/episode.ts";
import { scriptedEpisode } from "../../episodes/scripted.ts";
import type { PromptSet } from "../../protocol/prompt-set.ts";
import { writeStep } from "../../protocol/write.ts";
import type { Sandbox } from "../../sandbox/types.ts";
import { demonstrate } from "../../tasks/rotation/demonstrations.ts";
import { rotationTasks } from "../../tasks/rotation/index.ts";
import type { Recipe } from "../../training/recipe/schema.ts";
import { learningRateAt } from "../../training/schedule.ts";
import { trainSupervised, type DemonstratedTurn } from "../../training/supervised.ts";
import { progress } from "../terminal/progress.ts";
import { buildEnvironment } from "./environment.ts";
import { buildNewModel } from "./new-model.ts";

/** Demonstrated tasks, on a split of their own. */
const DEMONSTRATIONS = 240;
const ROWS_PER_STEP = 48;
const SCHEDULE = { learningRate: 6e-3, warmupSteps: 0, finalFraction: 0.1 };
/** Raised when the way of building changes, so that old models are not reused. */
const BUILD = 3;

export interface TinyModelRequest {
  seed: number;
  warmStartSteps: number;
  recipe: Recipe;
  prompts: PromptSet;
  sandbox: Sandbox;
  logFile: string;
  signal: AbortSignal;
}

/** Path of the model's Hugging Face folder. */
export async function tinyModel(request: TinyModelRequest): Promise<string> {
  const { seed, warmStartSteps, recipe, prompts, sandbox, signal } = request;
  const key = createHash("sha256")
    .update(JSON.stringify([BUILD, seed, warmStartSteps, recipe.environment.context, prompts.sha256]))
    .digest("hex")
    .slice(0, 12);
  const models = join(homeFolder(), "models");
  const target = join(models, `tiny-${key}`);
  if (existsSync(target)) return target;

  const scratch = join(models, `.building-${randomBytes(6).toString("hex")}`);
  await mkdir(scratch, { recursive: true });
  const environment = buildEnvironment({
    settings: { ...recipe.environment, parsing: "strict", malformed: "observe", prompts },
    sandbox,
    snippetTimeoutMs: recipe.sandbox.timeoutMs,
    images: new MemoryImageStore(),
  });
  try {
    const episodes = await demonstratedEpisodes(environment, seed, signal);
    const initial = join(scratch, "initial");
    await buildNewModel({ out: initial, seed, shape: {}, texts: textsOf(episodes) });
    const built =
      warmStartSteps === 0 ? initial : await warmStart(request, initial, join(scratch, "warm"), episodes, environment);
    // Another process may have built the same model meanwhile; it is the same, so either will do.
    if (!existsSync(target)) await rename(built, target);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return target;
}

async function demonstratedEpisodes(environment: Environment, seed: number, signal: AbortSignal): Promise<Episode[]> {
  const tasks = rotationTasks({ seed, split: "demonstration", size: DEMONSTRATIONS });
  const bar = progress("demonstrations", tasks.size);
  let done = 0;
  const episodes = await Promise.all(
    Array.from({ length: tasks.size }, async (_, index) => {
      const loaded = await tasks.load(index);
      const texts = demonstrate(loaded, seed).map(({ thought, action }) => writeStep(thought, action));
      const episode = await scriptedEpisode(loaded, texts, environment, signal);
      bar.update(++done, "episodes run in the sandbox");
      return episode;
    }),
  );
  bar.finish(`${episodes.length} episodes run in the sandbox`);
  return episodes;
}

/** Everything the model will read and write, for its tokenizer. */
function textsOf(episodes: readonly Episode[]): string[] {
  return episodes.flatMap(({ record, shown }) => [
    ...shown.flatMap(({ messages }) =>
      messages.flatMap(({ content }) => content.flatMap((part) => (part.type === "text" ? [part.text] : []))),
    ),
    ...record.turns.map((turn) => turn.text),
  ]);
}

/** Turns of all episodes, drawn with replacement. */
function drawTurns(episodes: readonly Episode[], seed: number, step: number): DemonstratedTurn[] {
  const stream = new SeededStream("tiny-model", seed, step);
  return Array.from({ length: ROWS_PER_STEP }, () => {
    const { record, shown } = stream.pick(episodes as [Episode, ...Episode[]]);
    const turn = stream.integer(0, record.turns.length - 1);
    return { messages: shown[turn]?.messages ?? [], text: record.turns[turn]?.text ?? "" };
  });
}

async function warmStart(
  { seed, warmStartSteps, recipe, logFile, signal }: TinyModelRequest,
  initial: string,
  out: string,
  episodes: readonly Episode[],
  environment: Environment,
): Promise<string> {
  const { device, dtype, threads, pixels, maxTokensPerMicrobatch } = recipe.engine;
  const imageBytes = async (sha256: string): Promise<Uint8Array> => (await environment.images.get(sha256)).png;
  const engine = await startEngine({ modelPath: initial, device, dtype, threads, seed, logFile, imageBytes });
  const bar = progress("warm start", warmStartSteps);
  let last = 0;
  try {
    await trainSupervised({
      client: engine.client,
      firstStep: 1,
      steps: warmStartSteps,
      rowsOf: (step) => Promise.resolve(drawTurns(episodes, seed, step)),
      learningRateOf: (step) => learningRateAt(SCHEDULE, step, warmStartSteps),
      pixels,
      maxTokensPerMicrobatch,
      onStep({ step, loss }) {
        last = loss;
        bar.update(step, `loss ${loss.toFixed(2)} nats/token`);
        return true;
      },
      signal,
    });
    await engine.client.export({ path: out, pins: {} });
    bar.finish(`${warmStartSteps} supervised steps, loss ${last.toFixed(2)} nats/token`);
  } finally {
    await engine.stop();
  }
  return out;
}
