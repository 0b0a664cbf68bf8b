/**
 * `varft prompts import CLONE --out FILE`: the prompts of the published checkpoints, from a user's own clone of their repository.
 */
import { writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { ConfigError, DataError } from "../../core/errors.ts";
import { importPrompts, type Setting } from "../../protocol/import/reference.ts";

export function promptsCommand(): Command {
  const prompts = new Command("prompts").description("Prompt sets: the words that an environment says to a policy.");
  prompts
    .command("import")
    .description("Write a prompt-set file for the published Visual-ARFT checkpoints from a clone of their repository.")
    .argument("<clone>", "folder of a clone of github.com/Liuziyu77/Visual-RFT, or its Visual-ARFT folder")
    .requiredOption("--out <file>", "YAML file to write")
    .addOption(new Option("--setting <setting>", "which checkpoints").choices(["coding", "search"]).default("coding"))
    .action((clone: string, { out, setting }: { out: string; setting: Setting }) => importTo(clone, out, setting));
  return prompts;
}

async function importTo(clone: string, out: string, setting: Setting): Promise<void> {
  const text = await importPrompts(clone, setting);
  try {
    await writeFile(out, text, { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") {
      throw new ConfigError("config.out_exists", `--out ${out} exists already`, { hint: "Name a new file.", cause });
    }
    throw new DataError("data.cannot_write", `cannot write ${out}: ${(cause as Error).message}`, { cause });
  }
  process.stdout.write(
    `wrote ${out}\nnext: set environment.prompts to it, and environment.parsing to reference for evaluation\n`,
  );
}
