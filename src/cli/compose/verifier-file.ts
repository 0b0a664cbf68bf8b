/**
 * A verifier that a recipe names by its file: TypeScript or JavaScript whose default export is `defineVerifier({...})`, or the plain
 * object that it takes.
 */
import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { ConfigError } from "../../core/errors.ts";
import { defineVerifier, type Verifier, type VerifierRule } from "../../verifiers/verifier.ts";

/** True for a name that is a path: `./my-verifier.ts`. */
export function isVerifierPath(name: string): boolean {
  return /^\.{0,2}\//.test(name);
}

const ruleSchema = z.looseObject({
  name: z.string().min(1),
  score: z.custom<VerifierRule<unknown>["score"]>((value) => typeof value === "function", "expected a function"),
});

/** Throws `config.missing_file`, and `config.bad_verifier_file` for one that fails to load or exports no verifier. */
export async function loadVerifierFile(name: string, folder: string): Promise<Verifier> {
  const path = resolve(folder, name);
  if (!existsSync(path)) {
    throw new ConfigError("config.missing_file", `rewards.${name}: no file ${path}`, {
      hint: "The path is relative to the recipe.",
      details: { file: path },
    });
  }
  const refuse = (what: string, cause?: unknown): ConfigError =>
    new ConfigError("config.bad_verifier_file", `rewards.${name}: ${path} ${what}`, {
      hint: "Its default export is defineVerifier({name, score}); see examples/verifiers/.",
      details: { file: path },
      cause,
    });
  let found: { default?: unknown };
  try {
    found = await importFile(pathToFileURL(path).href);
  } catch (cause) {
    throw refuse(`cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  const parsed = ruleSchema.safeParse(found.default);
  if (!parsed.success) throw refuse(`has no verifier as its default export (${basename(path)})`);
  return "configure" in parsed.data
    ? (found.default as Verifier)
    : defineVerifier(found.default as VerifierRule<Record<string, never>>);
}

/** In a checkout tsx is registered already; the published package asks it for this one file. */
async function importFile(url: string): Promise<{ default?: unknown }> {
  try {
    return (await import(url)) as { default?: unknown };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_UNKNOWN_FILE_EXTENSION") throw error;
    const { tsImport } = await import("tsx/esm/api");
    return (await tsImport(url, { parentURL: import.meta.url, tsconfig: false })) as { default?: unknown };
  }
}
