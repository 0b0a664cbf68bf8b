/**
 * The checkpoint that ships with the quickstart: a policy that follows the protocol, for tests that would otherwise train one.
 */
import { join, resolve } from "node:path";
import { packageFolder } from "../../src/core/installation.ts";
import { loadRecipe } from "../../src/training/recipe/load.ts";
import { recipeSchema } from "../../src/training/recipe/schema.ts";

const recipes = join(packageFolder, "recipes");

/** Its folder, as the quickstart's recipe says. */
export async function quickstartModel(): Promise<string> {
  const { model } = await loadRecipe(recipeSchema, join(recipes, "quickstart.yaml"));
  if (!("path" in model)) throw new Error("recipes/quickstart.yaml: model.path is missing");
  return resolve(recipes, model.path);
}
