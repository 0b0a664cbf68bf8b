/**
 * Builds an environment from settings: the sandbox's code tool, the run's images.
 */
import type { ImageStore } from "../../core/images.ts";
import type { Environment } from "../../environment/environment.ts";
import type { EnvironmentSettings } from "../../environment/settings.ts";
import type { Sandbox } from "../../sandbox/types.ts";
import { codeTool } from "../../tools/code/index.ts";
import { memoisedSandbox } from "../../tools/code/memo.ts";
import { codeToolOff } from "../../tools/code/off.ts";

export interface EnvironmentParts {
  settings: EnvironmentSettings;
  sandbox: Sandbox;
  snippetTimeoutMs: number;
  images: ImageStore;
}

export function buildEnvironment({ settings, sandbox, snippetTimeoutMs, images }: EnvironmentParts): Environment {
  return { settings, tools: { code: codeTool(memoisedSandbox(sandbox), snippetTimeoutMs) }, images };
}

/** The same environment with its tools switched off. */
export function withoutTools(environment: Environment): Environment {
  return { ...environment, tools: { code: codeToolOff() } };
}
