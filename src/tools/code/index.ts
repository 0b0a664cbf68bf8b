/**
 * The code tool: runs a Python snippet on the current image in the sandbox. The processed image replaces the current one.
 */
import { z } from "zod";
import { canonicalFromPixels, type CanonicalImage } from "../../core/images.ts";
import type { Sandbox, SnippetOutcome } from "../../sandbox/types.ts";
import { defineTool, type Tool, type ToolResult } from "../tool.ts";

export const codeInputSchema = z.strictObject({ source: z.string() });
export type CodeInput = z.infer<typeof codeInputSchema>;

export function codeTool(sandbox: Sandbox, snippetTimeoutMs: number): Tool<CodeInput> {
  return defineTool({
    name: "code",
    description:
      "Runs Python (cv2, numpy, PIL) that reads path_to_input_image.jpg and writes path_to_output_image.jpg.",
    input: codeInputSchema,
    // The snippet's limit counts from its start, not from when it began to wait behind others.
    timeoutMs: null,
    async run({ source }, { image, signal }) {
      if (image === null) return { status: "failed", text: "there is no image to work on" };
      const outcome = await sandbox.run(
        { source, image: image.png, limits: { timeoutMs: snippetTimeoutMs } },
        { signal },
      );
      return resultOf(outcome, image);
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

async function resultOf(outcome: SnippetOutcome, input: CanonicalImage): Promise<ToolResult> {
  const { output } = outcome;
  const processed = outcome.status === "ok" && output.kind === "image" ? await canonicalFromPixels(output) : null;
  const said = [outcome.stdout.trim(), failure(outcome)].filter((text) => text !== "").join("\n");
  return {
    status: output.kind === "refused" && outcome.status === "ok" ? "failed" : STATUS[outcome.status],
    text: said,
    images: processed === null ? [] : [processed],
    replacesImage: processed !== null,
    detail: {
      snippet: outcome.status,
      output: output.kind,
      ...(output.kind === "image" ? { width: output.width, height: output.height } : {}),
      unchanged: processed?.sha256 === input.sha256,
      truncated: outcome.truncated,
    },
  };
}

function failure(outcome: SnippetOutcome): string {
  switch (outcome.status) {
    case "exception":
      return outcome.exception ?? "exception";
    case "timeout":
      return "the code took too long";
    case "killed":
      return "the code was stopped: over a limit or not permitted";
    case "lost":
      return "the code's result was lost; try again";
    case "ok":
      return outcome.output.kind === "refused" ? `the output image was refused: ${outcome.output.reason}` : "";
  }
}
