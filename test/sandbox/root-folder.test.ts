/** The root folder as it lies on the disk: built by the real program, from the installed interpreter. */
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { environmentPython } from "../../src/core/installation.ts";
import { dropsUid } from "../../src/sandbox/identity.ts";
import { rootFolder } from "../../src/sandbox/root-folder.ts";
import { prepareRuntime, type Runtime } from "../../src/sandbox/runtime.ts";
import { landlockLaunch } from "../../src/sandbox/tiers/landlock.ts";
import { ownRootFolder } from "./attacks/attack.ts";

const python = environmentPython("sandbox");

test.skipIf(dropsUid())("only root gets one", async () => {
  expect(await rootFolder(await prepareRuntime(python, false))).toEqual({
    reason: "only root can give its workers a root folder of their own",
  });
});

describe.skipIf(!ownRootFolder)("as root", () => {
  let home: string;
  let runtime: Runtime;
  let root: string;
  const staging = (): string => join(home, "sandbox-runtime");

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "varft-root-"));
    chmodSync(home, 0o755);
    vi.stubEnv("VARFT_HOME", home);
    runtime = await prepareRuntime(python, true);
    const answer = await rootFolder(runtime);
    if (!("root" in answer)) throw new Error(answer.reason);
    root = answer.root;
  }, 60_000);
  beforeEach(() => void vi.stubEnv("VARFT_HOME", home)); // each test ends with the environment restored
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  test("holds the interpreter, libraries and devices, and nothing that anybody but root can write", () => {
    const known = /^(dev|lib|lib64|nix|runtime|usr|work)$/;
    expect(readdirSync(root).filter((name) => !known.test(name))).toEqual([]);
    const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).map((name) => join(root, name));
    expect(paths.length).toBeGreaterThan(500);
    const writable = [root, ...paths].filter((path) => {
      const status = lstatSync(path);
      return status.uid !== 0 || status.gid !== 0 || (!status.isCharacterDevice() && (status.mode & 0o022) !== 0);
    });
    expect(writable).toEqual([]);
    expect(lstatSync(join(root, "work")).mode & 0o777).toBe(0o711);
    expect(readdirSync(join(root, "work"))).toEqual([]);
  });

  test("a later start finds it again and deletes what other versions left unused for a day", async () => {
    const [unused, inUse, recent] = ["0a", "0b", "0c"].map((digits) => join(staging(), `root-${digits}`));
    for (const folder of [unused!, inUse!, recent!]) mkdirSync(join(folder, "work"), { recursive: true });
    mkdirSync(join(inUse!, "work", "a worker's"));
    writeFileSync(join(staging(), "libraries-0d.json"), "[]");
    const dayAgo = Date.now() / 1000 - 90_000;
    for (const path of [unused!, inUse!, join(staging(), "libraries-0d.json")]) utimesSync(path, dayAgo, dayAgo);
    const before = lstatSync(join(root, "work")).ctimeMs;
    expect(await rootFolder(await prepareRuntime(python, true))).toEqual({ root });
    expect(lstatSync(join(root, "work")).ctimeMs).toBe(before);
    const names = readdirSync(staging());
    expect(names.filter((name) => /-0[ad]/.test(name))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(["root-0b", "root-0c"]));
    expect(names.filter((name) => name.includes("partial"))).toEqual([]);
  });

  test("an interpreter that does not run inside is told, leaves nothing, and workers stay in the host's root", async () => {
    const trees = runtime.trees.filter(({ inside }) => !inside.includes("/packages-"));
    const lacking = { ...runtime, trees };
    expect(await rootFolder(lacking)).toEqual({
      reason: expect.stringMatching(/does not run inside: ModuleNotFoundError: No module named '(cv2|numpy)'/),
    });
    const { command, cleanUp } = await landlockLaunch(lacking);
    expect(command).toContain("varft_sandbox.worker");
    await cleanUp();
    expect(readdirSync(staging()).filter((name) => name.includes("partial"))).toEqual([]);
  });
});
