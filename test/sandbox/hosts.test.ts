/** Hosts of other kinds: user namespaces forbidden, a closed home, folders that another user prepared. */
import { execFile } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
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
import { dropsUid } from "../../src/sandbox/identity.ts";
import { environmentPython, packageFolder } from "../../src/core/installation.ts";

const execute = promisify(execFile);
const python = environmentPython("sandbox");

/** The tier it chose, what a snippet printed, why not the others, and what is to be said of each. */
interface Said {
  tier: string;
  stdout: string;
  reasons: Record<string, string>;
  notes: Record<string, string>;
}

/** What a host without user namespaces says; `options`: of `without_namespaces.py`. */
async function withoutNamespaces(path: string, ...options: string[]): Promise<Said | null> {
  const helper = fileURLToPath(new URL("without_namespaces.py", import.meta.url));
  const program = `
    const { openSandbox, probeTiers } = await import(${JSON.stringify(join(packageFolder, "src/sandbox/index.ts"))});
    const sandbox = await openSandbox({ workers: 1 });
    const said = [];
    for (const n of [1, 2]) said.push((await sandbox.run({ source: "print(41 + " + n + ")", image: new Uint8Array() })).stdout);
    await sandbox.close();
    const reports = await probeTiers();
    const [reasons, notes] = ["reason", "note"].map((key) => Object.fromEntries(reports.map((one) => [one.tier, one[key]])));
    console.log(JSON.stringify({ tier: sandbox.tier, stdout: said.join(""), reasons, notes }));`;
  const command = [helper, ...options, process.execPath, "--import", "tsx", "--input-type=module", "-e", program];
  try {
    const { stdout } = await execute(python, command, { cwd: packageFolder, env: { ...process.env, PATH: path } });
    return JSON.parse(stdout) as Said;
  } catch (error) {
    if ((error as { code?: number }).code !== 77) throw error;
    console.warn("SKIPPED: this machine has no user namespaces to forbid");
    return null;
  }
}

test("where user namespaces are forbidden and bubblewrap is absent the landlock tier is chosen and works", async ({
  skip,
}) => {
  const said = await withoutNamespaces("/nonexistent");
  if (said === null) return skip();
  expect(said).toMatchObject({ tier: "landlock", stdout: "42\n43\n" });
  expect(said.reasons["namespaces"]).toContain("cannot create a user namespace");
  expect(said.notes["landlock"]).toContain(dropsUid() ? "the host's paths are hidden" : "only root can");
});

test.skipIf(!dropsUid())(
  "without CAP_SYS_CHROOT it works in the host's root folder, and says so (root only)",
  async ({ skip }) => {
    const said = await withoutNamespaces("/nonexistent", "--fixed-root");
    if (said === null) return skip();
    expect(said).toMatchObject({ tier: "landlock", stdout: "42\n43\n" });
    expect(said.notes["landlock"]).toMatch(/can learn that a path .*the root folder cannot be changed: Operation not/);
  },
);

const bubblewrap = (process.env["PATH"] ?? "")
  .split(":")
  .map((folder) => join(folder, "bwrap"))
  .find(existsSync);

test.skipIf(process.getuid?.() !== 0 || bubblewrap === undefined)(
  "where they are forbidden and bubblewrap is set-uid root each snippet gets a jail of its own (root only)",
  async ({ skip }) => {
    const folder = mkdtempSync(join(tmpdir(), "varft-setuid-"));
    try {
      chmodSync(folder, 0o755);
      copyFileSync(bubblewrap!, join(folder, "bwrap"));
      chmodSync(join(folder, "bwrap"), 0o4755);
      const said = await withoutNamespaces(folder);
      if (said === null) return skip();
      expect(said).toMatchObject({ tier: "bubblewrap-per-snippet", stdout: "42\n43\n" });
      expect(said.reasons["bubblewrap"]).toContain("setuid");
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test.skipIf(process.platform !== "linux")("a host program under `ulimit -v` runs snippets", async () => {
  const program = `
    const { openSandbox } = await import(${JSON.stringify(join(packageFolder, "src/sandbox/index.ts"))});
    const sandbox = await openSandbox({ workers: 1 });
    console.log((await sandbox.run({ source: "print(42)", image: new Uint8Array() })).stdout);
    await sandbox.close();`;
  const limited = ["-c", 'ulimit -v 60000000 && exec "$@"', "sh", process.execPath];
  const command = [...limited, "--import", "tsx", "--input-type=module", "-e", program];
  expect((await execute("/bin/sh", command, { cwd: packageFolder })).stdout).toBe("42\n\n");
});

test("a worker that cannot import its libraries says which one at the end of its log", async () => {
  const configuration = {
    confinement: "none",
    readable: [],
    folder: tmpdir(),
    announce: true,
    machine: { sysname: "", release: "", version: "", machine: "" },
    processes: null,
  };
  const command = ["-s", "-S", "-P", "-B", "-m", "varft_sandbox.worker", JSON.stringify(configuration)];
  const env = { PYTHONPATH: join(packageFolder, "sandbox") };
  const ended = execute(python, command, { env });
  await expect(ended).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/No module named '\w+'\n$/) });
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
