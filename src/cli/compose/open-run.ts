/**
 * The run folder that a command writes to: a new one, or the one that `--resume` names.
 */
import { ConfigError } from "../../core/errors.ts";
import { RunFolder } from "../../runs/run-folder.ts";
import { style } from "../terminal/style.ts";
import { refuseOtherPins, type RunManifest } from "./manifest.ts";
import { newRunPath } from "./run-path.ts";

export interface RunFlags {
  set: string[];
  out?: string;
  resume?: string;
}

/** What a command needs from its flags: the recipe and how to open the run. */
export interface RunRequest<Recipe> {
  recipe: Recipe;
  recipePath: string;
  openRun: (manifest: RunManifest) => Promise<RunFolder>;
}

export interface RecipeReader<Recipe> {
  command: RunManifest["command"];
  /** For the hint when there is no recipe. */
  example: string;
  load(path: string, sets: readonly string[]): Promise<Recipe>;
  /** From a run's manifest. */
  parse(recipe: unknown): Recipe;
}

/** Throws `config.no_recipe`, `config.resume_alone`, `config.other_command`. */
export async function runRequest<Recipe extends { name: string }>(
  path: string | undefined,
  flags: RunFlags,
  reader: RecipeReader<Recipe>,
): Promise<RunRequest<Recipe>> {
  if (flags.resume !== undefined) return resumeRequest(path, flags, flags.resume, reader);
  if (path === undefined) {
    throw new ConfigError("config.no_recipe", "no recipe given", {
      hint: `For example: varft ${reader.command} ${reader.example}`,
    });
  }
  const recipe = await reader.load(path, flags.set);
  const openRun = (manifest: RunManifest): Promise<RunFolder> =>
    RunFolder.create(flags.out ?? newRunPath(recipe.name), manifest);
  return { recipe, recipePath: path, openRun };
}

async function resumeRequest<Recipe>(
  path: string | undefined,
  flags: RunFlags,
  folder: string,
  reader: RecipeReader<Recipe>,
): Promise<RunRequest<Recipe>> {
  const { command } = reader;
  if (path !== undefined || flags.set.length > 0 || flags.out !== undefined) {
    throw new ConfigError(
      "config.resume_alone",
      "--resume takes no recipe, --set or --out: the run goes on as it began",
      { hint: `varft ${command} --resume ${folder}` },
    );
  }
  const manifest = await RunFolder.manifest(folder);
  if (manifest["command"] !== command) {
    throw new ConfigError(
      "config.other_command",
      `${folder} was made by varft ${String(manifest["command"])}, not by varft ${command}`,
      { hint: `varft ${String(manifest["command"])} --resume ${folder}` },
    );
  }
  const recipe = reader.parse(manifest["recipe"]);
  const openRun = async ({ pins }: RunManifest): Promise<RunFolder> => {
    refuseOtherPins(manifest["pins"], pins, folder);
    const run = await RunFolder.open(folder);
    await run.resume("command");
    process.stdout.write(`${style("cyan", "resuming")} ${run.path} after step ${run.committed?.step ?? 0}\n`);
    return run;
  };
  return { recipe, recipePath: String(manifest["recipePath"]), openRun };
}
