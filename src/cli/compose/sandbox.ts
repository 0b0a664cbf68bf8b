/**
 * The sandbox that a recipe asks for; what it leaves open the machine decides.
 */
import { openSandbox } from "../../sandbox/index.ts";
import type { Sandbox } from "../../sandbox/types.ts";
import type { Recipe } from "../../training/recipe/schema.ts";

export function openRecipeSandbox({ tier, workers }: Recipe["sandbox"]): Promise<Sandbox> {
  return openSandbox({ ...(tier === null ? {} : { tier }), ...(workers === null ? {} : { workers }) });
}
