/**
 * MAT's two training files as recorded single steps (arXiv 2505.14246): a task is one sample, its question the recorded query and
 * chain, its expected action the reference's. For environments in step mode. Not here: the words around the recorded text, rewards,
 * and how a solution's tags are read, which the caller passes in.
 *
 * ```ts
 * const tasks = await loadMatSteps({ file, images, size: null, skipBad: false, squash: 720, readActions });
 * const { task } = await tasks.load(0); // tasks.kindOf(0) === "problem", task.private.expected
 * ```
 */
import sharp from "sharp";
import { DataError } from "../../core/errors.ts";
import { canonicalFromPixels, type CanonicalImage } from "../../core/images.ts";
import { jsonListElements } from "../../core/json-list.ts";
import type { LoadedTask, TaskSet } from "../../core/task.ts";
import { absentImage, readImage } from "../image-file.ts";
import { sampleOf, type ReadActions, type Sample } from "./sample.ts";

export type { ReadActions } from "./sample.ts";

export interface MatStepsOptions {
  file: string;
  /** Folder that `image_path` is relative to. */
  images: string;
  /** The first samples; null: all. */
  size: number | null;
  /** Leave out bad records instead of refusing the file at the first one. */
  skipBad: boolean;
  /** Side of the square that images are squashed to, aspect ignored, as the reference does (720); null: as they are. */
  squash: number | null;
  readActions: ReadActions;
}

export interface MatSteps extends TaskSet {
  /** What was wrong with each record that was left out. */
  readonly skipped: readonly DataError[];
}

/**
 * Reads a training file record by record and looks whether its images are there; their bytes are read when a task is loaded.
 * Throws `data.bad_record` naming file, index and field, `data.missing_file` naming record and image, `data.no_tasks` when nothing is
 * left, `data.not_json`.
 */
export async function loadMatSteps(options: MatStepsOptions): Promise<MatSteps> {
  const { file, images, size, skipBad, squash, readActions } = options;
  const samples: Sample[] = [];
  const skipped: DataError[] = [];
  let index = 0;
  for await (const text of jsonListElements(file)) {
    if (samples.length === size) break;
    try {
      const sample = sampleOf(file, index, text, readActions);
      const absent = await absentImage(images, sample.imagePath, `${file}: record ${index}: image_path`);
      if (absent !== null) throw absent;
      samples.push(sample);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      if (!skipBad) throw withHint(error);
      skipped.push(error);
    }
    index++;
  }
  if (samples.length === 0) {
    throw new DataError("data.no_tasks", `${file}: no usable record (${index} read, ${skipped.length} bad)`, {
      hint: skipped[0]?.message ?? "Give a file with at least one record.",
      details: { file },
    });
  }
  const at = (position: number): Sample => {
    const sample = samples[position];
    if (sample !== undefined) return sample;
    throw new DataError("data.no_such_task", `${file}: expected an index in 0..${samples.length - 1}, got ${position}`);
  };
  return {
    name: "mat-steps/train",
    size: samples.length,
    skipped,
    kindOf: (position) => at(position).expected.type,
    load: (position) => loadSample(at(position), options, squash),
  };
}

async function loadSample(
  sample: Sample,
  { file, images }: MatStepsOptions,
  squash: number | null,
): Promise<LoadedTask> {
  const original = await readImage(images, sample.imagePath, `${file}: record ${sample.index}`);
  const image = squash === null ? original : await squashed(original, squash);
  const { expected } = sample;
  const task = {
    id: `mat-steps/${sample.index}`,
    public: { question: sample.recorded, images: [image.sha256] },
    private: { answers: expected.type === "answer" ? [expected.text] : [], kind: expected.type, expected },
  };
  return { task, images: [image] };
}

/** Bicubic (Catmull-Rom), as Pillow's `resize((side, side))`; the two differ by rounding. */
async function squashed(image: CanonicalImage, side: number): Promise<CanonicalImage> {
  const { data, info } = await sharp(image.png)
    .resize(side, side, { fit: "fill", kernel: "cubic" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return canonicalFromPixels({ width: info.width, height: info.height, rgb: data });
}

function withHint(error: DataError): DataError {
  const { code, message, details } = error;
  return new DataError(code, message, {
    hint: "Correct the record, or leave bad ones out: --skip-bad (tasks.skipBad: true).",
    details,
    cause: error,
  });
}
