/**
 * Builds an environment from settings: prompts, the sandbox's code tool, the run's images.
 */
import type { ImageStore } from "../../core/images.ts";
import type { Environment } from "../../environment/environment.ts";
import { loadPromptSet } from "../../protocol/prompt-set.ts";
import type { Sandbox } from "../../sandbox/types.ts";
import { codeTool } from "../../tools/code/index.ts";
import { memoisedSandbox } from "../../tools/code/memo.ts";
import type { Recipe } from "../../training/recipe/schema.ts";

export interface EnvironmentParts {
  environment: Recipe["environment"];
  /** Folder that prompt files are relative to. */
  folder: string;
  sandbox: Sandbox;
  snippetTimeoutMs: number;
  images: ImageStore;
}

export async function buildEnvironment(parts: EnvironmentParts): Promise<Environment> {
  const prompts = await loadPromptSet(parts.environment.prompts, parts.folder);
  return {
    settings: { ...parts.environment, prompts },
    tools: { code: codeTool(memoisedSandbox(parts.sandbox), parts.snippetTimeoutMs) },
    images: parts.images,
  };
}
