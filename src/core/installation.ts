/**
 * Where `npm run setup` put the Python environments. Set-up writes `current.json`; everything else only reads it.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { EngineError, SandboxError } from "./errors.ts";

/** Folder of the package: holds `engine/`, `sandbox/`, `recipes/`, `package.json`. */
export const packageFolder = fileURLToPath(new URL("../../", import.meta.url));

/** Version of this package, from its `package.json`. */
export function packageVersion(): string {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")));
  return version;
}

/** `VARFT_HOME`, or `.varft` in the package folder. */
export function homeFolder(): string {
  return process.env["VARFT_HOME"] ?? join(packageFolder, ".varft");
}

const environmentSchema = z.object({ python: z.string(), lockSha256: z.string() });
const currentSchema = z.object({
  version: z.literal(1),
  engine: environmentSchema.optional(),
  sandbox: environmentSchema.optional(),
});

/** The two Python environments: `engine` holds torch, `sandbox` what snippets may import. */
export type EnvironmentName = "engine" | "sandbox";

/**
 * The interpreter of an environment: `VARFT_ENGINE_PYTHON` / `VARFT_SANDBOX_PYTHON` when set (a cluster's own torch build, say),
 * else what set-up installed. Throws `engine.not_installed` / `sandbox.not_installed` when absent or older than its lock file.
 */
export function environmentPython(name: EnvironmentName): string {
  const variable = `VARFT_${name.toUpperCase()}_PYTHON`;
  const override = process.env[variable];
  const refuse = (message: string): never => {
    const Refusal = name === "engine" ? EngineError : SandboxError;
    throw new Refusal(`${name}.not_installed`, message, {
      hint: `Run \`npm run setup\`, or set ${variable} to a Python that has the packages of ${name}/requirements.lock.`,
    });
  };
  if (override !== undefined && override !== "") {
    return existsSync(override) ? override : refuse(`${variable} names no file: ${override}`);
  }
  const path = join(homeFolder(), "current.json");
  if (!existsSync(path)) return refuse(`the ${name} environment is not installed (no ${path})`);
  const parsed = currentSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  const environment = parsed.success ? parsed.data[name] : undefined;
  if (environment === undefined || !existsSync(environment.python)) {
    return refuse(`the ${name} environment is not installed (${path} does not name a usable one)`);
  }
  const lock = readFileSync(join(packageFolder, name, "requirements.lock"));
  const lockSha256 = createHash("sha256").update(lock).digest("hex");
  if (lockSha256 !== environment.lockSha256) {
    return refuse(
      `the ${name} environment is older than ${name}/requirements.lock (lock ${lockSha256.slice(0, 12)}, installed ${environment.lockSha256.slice(0, 12)})`,
    );
  }
  return environment.python;
}
