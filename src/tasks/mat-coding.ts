/**
 * MAT-Coding, the benchmark of agentic coding (arXiv 2505.14246): 200 questions about damaged, cropped and intact images.
 */
import { z } from "zod";
import { badRecord, readRecordList } from "../core/record-list.ts";
import type { LoadedTask, TaskSet } from "../core/task.ts";
import { imagePathSchema, readImage } from "./image-file.ts";

const caseSchema = z.object({
  id: z.int(),
  question: z.string(),
  answers: z.array(z.string()).min(1),
  ori_image_path: imagePathSchema,
  processed_image_path: imagePathSchema,
  type: z.array(z.string().min(1)).min(1),
  split: z.enum(["simple", "hard"]),
});
type MatCodingCase = z.infer<typeof caseSchema>;

export interface MatCodingTaskSet extends TaskSet {
  /** The case's problems, sorted and joined: `dark+rotation90`. */
  kindOf(index: number): string;
  splitOf(index: number): "simple" | "hard";
  /** Where the case with the benchmark's id is; undefined when there is none. */
  indexOf(id: number): number | undefined;
}

/**
 * Reads the benchmark's JSON list; images are read when a task is loaded.
 * Throws `data.bad_record` naming file, index and field, `data.missing_file` and `data.not_an_image` naming the image.
 *
 * @example
 * const tasks = await loadMatCoding("MAT-Benchmark/MAT-Coding.json", "MAT-Benchmark/images");
 * const { task, images } = await tasks.load(0); // task.id is "mat-coding/<id>"
 */
export async function loadMatCoding(file: string, imagesFolder: string): Promise<MatCodingTaskSet> {
  const cases = await readRecordList(file, caseSchema);
  const byId = new Map<number, number>();
  cases.forEach(({ id }, index) => {
    const first = byId.get(id);
    if (first !== undefined) throw badRecord(file, index, "id", `id ${id} is record ${first}'s already`);
    byId.set(id, index);
  });
  const at = (index: number): MatCodingCase => {
    const found = cases[index];
    if (found === undefined) throw new RangeError(`${file} has ${cases.length} cases, none at ${index}`);
    return found;
  };
  return {
    name: "mat-coding",
    size: cases.length,
    kindOf: (index) => kindOf(at(index)),
    splitOf: (index) => at(index).split,
    indexOf: (id) => byId.get(id),
    load: (index) => loadCase(at(index), `${file}: record ${index}`, imagesFolder),
  };
}

function kindOf({ type }: MatCodingCase): string {
  return type.toSorted().join("+");
}

async function loadCase(one: MatCodingCase, where: string, imagesFolder: string): Promise<LoadedTask> {
  // A crop question's boxes are of the original image; the others are asked about the processed (damaged) one.
  const path = one.type.includes("crop") ? one.ori_image_path : one.processed_image_path;
  const image = await readImage(imagesFolder, path, where);
  const task = {
    id: `mat-coding/${one.id}`,
    public: { question: one.question, images: [image.sha256] },
    private: { answers: one.answers, kind: kindOf(one) },
  };
  return { task, images: [image] };
}
