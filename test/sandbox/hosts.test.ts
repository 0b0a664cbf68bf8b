/** Hosts of other kinds: user namespaces forbidden, a closed home, folders that another user prepared. */
import { execFile } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { environmentPython, packageFolder } from "../../src/core/installation.ts";

const execute = promisify(execFile);
const python = environmentPython("sandbox");

test("where user namespaces are forbidden the landlock tier is chosen and works", async ({ skip }) => {
  const helper = fileURLToPath(new URL("without_namespaces.py", import.meta.url));
  const program = `
    const { openSandbox, probeTiers } = await import(${JSON.stringify(join(packageFolder, "src/sandbox/index.ts"))});
    const sandbox = await openSandbox({ workers: 1 });
    const { stdout } = await sandbox.run({ source: "print(40 + 2)", image: new Uint8Array() });
    await sandbox.close();
    console.log(JSON.stringify({ tier: sandbox.tier, stdout, reports: await probeTiers() }));`;
  const command = [helper, process.execPath, "--import", "tsx", "--input-type=module", "-e", program];
  let said: string;
  try {
    said = (await execute(python, command, { cwd: packageFolder })).stdout;
  } catch (error) {
    if ((error as { code?: number }).code !== 77) throw error;
    console.warn("SKIPPED: this machine has no user namespaces to forbid");
    return skip();
  }
  const { tier, stdout, reports } = JSON.parse(said) as {
    tier: string;
    stdout: string;
    reports: { tier: string; reason: string }[];
  };
  expect({ tier, stdout }).toEqual({ tier: "landlock", stdout: "42\n" });
  expect(reports.find((report) => report.tier === "namespaces")?.reason).toContain("cannot create a user namespace");
});

describe.skipIf(process.getuid?.() !== 0)("staging the interpreter for another uid (root only)", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "varft-staging-"));
    chmodSync(folder, 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs the real thing on a small program folder, always through the copying path: the program lies in a closed folder. */
  async function prepare(...candidates: string[]): Promise<string> {
    const program = join(folder, "closed", "program");
    mkdirSync(join(program, "varft_sandbox"), { recursive: true });
    chmodSync(join(folder, "closed"), 0o700);
    const script = join(packageFolder, "sandbox/varft_sandbox/runtime.py");
    const request = JSON.stringify({ program, otherUid: true, candidates });
    const { stdout } = await execute(python, ["-I", "-B", script, request]);
    return (JSON.parse(stdout) as { outside: { python: string } }).outside.python;
  }

  test("many starts at once make one whole copy, which later starts reuse, and which others may read but not write", async () => {
    const target = join(folder, "stage");
    const results = await Promise.all(Array.from({ length: 3 }, () => prepare(target)));
    expect(new Set(results).size).toBe(1);
    const interpreter = results[0]!;
    expect(interpreter.startsWith(`${target}/`)).toBe(true);
    expect(readdirSync(target).filter((name) => name.includes("partial"))).toEqual([]);
    for (const path of [target, interpreter]) {
      expect(statSync(path).uid).toBe(0);
      expect(statSync(path).mode & 0o027).toBe(0o005);
    }
    const made = statSync(interpreter).ctimeMs;
    expect(await prepare(target)).toBe(interpreter);
    expect(statSync(interpreter).ctimeMs).toBe(made);
    const { stdout } = await execute(interpreter, ["-S", "-c", "import json, ctypes; print(json.dumps(1))"], {
      uid: 65_000,
      gid: 65_000,
      env: { LD_LIBRARY_PATH: join(interpreter, "../../lib") },
    });
    expect(stdout).toBe("1\n");
  });

  test.each([
    ["belongs to another user", (path: string) => (mkdirSync(path), chownSync(path, 65_000, 65_000))],
    ["others may write", (path: string) => (mkdirSync(path), chmodSync(path, 0o777))],
    ["is a link", (path: string) => (mkdirSync(`${path}.real`), symlinkSync(`${path}.real`, path))],
    ["lies where others cannot go", (path: string) => (mkdirSync(path), chmodSync(path, 0o700))],
  ])("a folder that %s is not used", async (_, plant) => {
    const planted = join(folder, "planted");
    plant(planted);
    const candidate = (statSync(planted).mode & 0o001) === 0 ? join(planted, "below") : planted;
    await expect(prepare(candidate)).rejects.toMatchObject({ stderr: expect.stringContaining(`${candidate}:`) });
    expect(existsSync(join(planted, "below"))).toBe(false);
    expect(readdirSync(planted)).toEqual([]);
  });
});
