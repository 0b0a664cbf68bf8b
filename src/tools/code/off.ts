/**
 * The code tool switched off, for ablations: code is accepted and nothing runs, so the prompt goes on as if the image had been
 * processed, and the image is the old one. What a policy loses by it is what the tool gave.
 */
import { defineTool, type Tool } from "../tool.ts";
import { codeInputSchema, type CodeInput } from "./index.ts";

export function codeToolOff(): Tool<CodeInput> {
  return defineTool({
    name: "code",
    description: "Accepts Python and does not run it.",
    input: codeInputSchema,
    timeoutMs: null,
    run: (_, { image }) =>
      Promise.resolve({
        status: "ok",
        images: image === null ? [] : [image],
        replacesImage: image !== null,
        detail: { off: true, unchanged: true },
      }),
  });
}
