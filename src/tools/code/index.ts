/**
 * The code tool: runs a Python snippet on the current image in the sandbox. The processed image replaces the current one.
 */
import { z } from "zod";
import { canonicalFromPixels, type CanonicalImage } from "../../core/images.ts";
import type { Sandbox, SnippetOutcome } from "../../sandbox/types.ts";
import { clip, defineTool, type Tool, type ToolResult } from "../tool.ts";
import { sourceOf, withLocalPaths } from "./source.ts";
import { isUnchanged } from "./unchanged.ts";

export const INPUT_NAME = "path_to_input_image.jpg";
export const OUTPUT_NAME = "path_to_output_image.jpg";

/** Longest printed text and longest message of an exception that a policy reads, in code points: the one leaves room for the other. */
const MAX_PRINTED = 2500;
const MAX_EXCEPTION = 1000;

export const codeInputSchema = z.strictObject({
  source: z.string().describe("Python, bare or in a ```python fence"),
});
export type CodeInput = z.infer<typeof codeInputSchema>;

export function codeTool(sandbox: Sandbox, snippetTimeoutMs: number): Tool<CodeInput> {
  return defineTool({
    name: "code",
    description: `Runs Python (cv2, numpy, PIL) that reads ${INPUT_NAME} and writes ${OUTPUT_NAME}.`,
    input: codeInputSchema,
    // The snippet's limit counts from its start, not from when it began to wait behind others.
    timeoutMs: null,
    async run(input, { image, signal }) {
      if (image === null) return { status: "failed", text: "there is no image to work on" };
      const source = withLocalPaths(sourceOf(input.source));
      const limits = { timeoutMs: snippetTimeoutMs };
      return resultOf(await sandbox.run({ source, image: image.png, limits }, { signal }), source, image);
    },
  });
}

const STATUS: Record<SnippetOutcome["status"], ToolResult["status"]> = {
  ok: "ok",
  exception: "failed",
  killed: "failed",
  timeout: "timeout",
  lost: "lost",
};

interface Processed {
  processed: CanonicalImage | null;
  unchanged: boolean;
}

/** Of outcomes that are remembered (`memo.ts`): a group's rollouts share the image too. */
const known = new WeakMap<SnippetOutcome, Promise<Processed>>();

/** An outcome belongs to one input: whoever remembers it does so by the input's bytes. */
function processedBy(outcome: SnippetOutcome, input: CanonicalImage): Promise<Processed> {
  const found = known.get(outcome);
  if (found !== undefined) return found;
  const made = encoded(outcome, input);
  known.set(outcome, made);
  made.catch(() => known.delete(outcome));
  return made;
}

async function encoded({ status, output }: SnippetOutcome, input: CanonicalImage): Promise<Processed> {
  // What a snippet wrote before it failed is no result.
  if (status !== "ok" || output.kind !== "image") return { processed: null, unchanged: false };
  return { processed: await canonicalFromPixels(output), unchanged: await isUnchanged(input, output) };
}

async function resultOf(outcome: SnippetOutcome, source: string, input: CanonicalImage): Promise<ToolResult> {
  const { output } = outcome;
  const { processed, unchanged } = await processedBy(outcome, input);
  const remark = unchanged ? "The image did not change." : remarkOn(outcome, source);
  return {
    status: output.kind === "refused" && outcome.status === "ok" ? "failed" : STATUS[outcome.status],
    text: [clip(outcome.stdout.trim(), MAX_PRINTED), remark].filter((text) => text !== "").join("\n"),
    images: processed === null ? [] : [processed],
    replacesImage: processed !== null,
    detail: {
      snippet: outcome.status,
      output: output.kind,
      ...(output.kind === "image" ? { width: output.width, height: output.height } : {}),
      unchanged,
      truncated: outcome.truncated,
    },
  };
}

/** What the policy must know besides the image and what the code printed. */
function remarkOn({ status, exception, output }: SnippetOutcome, source: string): string {
  switch (status) {
    case "exception": {
      const hint = source.includes(INPUT_NAME) ? "" : ` (the image is ${INPUT_NAME})`;
      return `${clip(exception ?? "exception", MAX_EXCEPTION)}${hint}`;
    }
    case "timeout":
      return "the code took too long";
    case "killed":
      return "the code was stopped: over a limit or not permitted";
    case "lost":
      return "the code's result was lost; try again";
    case "ok":
      if (output.kind === "refused") return `the output image was refused: ${output.reason}`;
      return output.kind === "none" ? absent(output.files ?? []) : "";
  }
}

function absent(files: readonly string[]): string {
  const found = files.length === 0 ? "" : `; found ${files.join(", ")}`;
  return `The result belongs in ${OUTPUT_NAME}${found}.`;
}
