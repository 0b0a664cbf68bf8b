/**
 * Drives the real set-up as a child process, with faults that are real where that is cheap. Nothing is downloaded from the internet.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { SetupFailure } from "../../scripts/setup/failure.mjs";
import { Pip } from "../../scripts/setup/pip.mjs";
import { findPython } from "../../scripts/setup/python.mjs";
import { buildWheels, Checkout, serveIndex, torchSource } from "./checkout.ts";

const DEAD_INDEX = "http://127.0.0.1:9/simple";

describe("before anything is installed", () => {
  let checkout: Checkout;
  beforeEach(() => {
    checkout = new Checkout();
  });
  afterEach(() => checkout.remove());

  /** Puts a `python3` on an otherwise empty PATH: the real one, with `prelude` run first. */
  async function pathWithPython(prelude: string): Promise<{ PATH: string }> {
    const { executable } = await findPython(process.env);
    checkout.write("fake/prelude.py", `import sys\n${prelude}\nexec(sys.argv[2])\n`);
    checkout.write("fake/bin/python3", `#!/bin/sh\nexec "${executable}" "${checkout.folder}/fake/prelude.py" "$@"\n`);
    chmodSync(join(checkout.folder, "fake/bin/python3"), 0o755);
    return { PATH: join(checkout.folder, "fake/bin") };
  }

  test.each([
    [["--torch"], "Unknown option '--torch'"],
    [["--level", "moon"], `--level: expected node, sandbox, engine, got "moon"`],
    [["--torch-index", "nowhere"], `--torch-index: expected a URL, got "nowhere"`],
  ])("%j is refused with the flags", async (args, message) => {
    const { code, stderr } = await checkout.setup(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain("--level node|sandbox|engine");
    expect(existsSync(checkout.home)).toBe(false);
  });

  test("an old Node", async () => {
    const old = `data:text/javascript,Object.defineProperty(process.versions, "node", { value: "18.20.4" })`;
    const { code, stderr } = await checkout.setup([], { nodeArgs: ["--import", old] });
    expect(code).toBe(2);
    expect(stderr).toContain("Node 18.20.4");
    expect(stderr).toContain(">= 20.19");
  });

  test("an old Python", async () => {
    const env = await pathWithPython(`sys.version_info = (3, 9, 2, "final", 0)`);
    const { code, stderr } = await checkout.setup([], { env });
    expect(code).toBe(2);
    expect(stderr).toContain("Python 3.9.2 is too old");
    expect(stderr).toContain("3.11 to 3.14");
    expect(stderr).toContain("VARFT_PYTHON");
  });

  test("a Python that is too new", async () => {
    const env = await pathWithPython(`sys.version_info = (3, 15, 0, "final", 0)`);
    const { code, stderr } = await checkout.setup([], { env });
    expect(code).toBe(2);
    expect(stderr).toContain("Python 3.15.0 is too new");
  });

  test("a Python without venv", async () => {
    const env = await pathWithPython(`sys.modules["ensurepip"] = None`);
    const { code, stderr } = await checkout.setup([], { env });
    expect(code).toBe(2);
    expect(stderr).toContain("without ensurepip");
    expect(stderr).toContain("apt install python3-venv");
  });

  test("no Python at all, and a VARFT_PYTHON that is none", async () => {
    mkdirSync(join(checkout.folder, "empty"));
    const none = await checkout.setup([], { env: { PATH: join(checkout.folder, "empty") } });
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("no Python was found");
    const wrong = await checkout.setup([], { env: { VARFT_PYTHON: "/nonexistent/python" } });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("VARFT_PYTHON is not a Python");
    expect(wrong.stderr).toContain("/nonexistent/python");
  });

  test("a package registry that cannot be reached", async () => {
    const lock = { "": { dependencies: { leftish: "1.0.0" } }, "node_modules/leftish": { version: "1.0.0" } };
    checkout.write("package.json", `{"name": "small", "version": "1.0.0", "dependencies": {"leftish": "1.0.0"}}`);
    checkout.write(
      "package-lock.json",
      JSON.stringify({ name: "small", version: "1.0.0", lockfileVersion: 3, packages: lock }),
    );
    const { code, stderr } = await checkout.setup(["--level", "node"], { env: { npm_config_registry: DEAD_INDEX } });
    expect(code).toBe(3);
    expect(stderr).toContain("setup.no_network");
    expect(stderr).toContain("npm ci");
  });

  test("level node needs no Python", async () => {
    const { code, stdout } = await checkout.setup(["--level", "node"], { env: { PATH: "/nonexistent" } });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `already set up: Node ${process.versions.node}\n` });
    expect(existsSync(join(checkout.folder, "node_modules/.bin/varft"))).toBe(true);
  });

  describe("on a small disk", () => {
    const mounted: string[] = [];
    afterEach(() => {
      for (const folder of mounted.splice(0)) execFileSync("umount", [folder]);
    });

    /** Mounts a tmpfs as VARFT_HOME; the reason when this machine does not allow that. */
    function mount(options: string): string | null {
      mkdirSync(checkout.home);
      try {
        execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", checkout.home], { stdio: "pipe" });
      } catch (error) {
        return `needs the right to mount a tmpfs: ${error instanceof Error ? error.message : String(error)}`;
      }
      mounted.push(checkout.home);
      return null;
    }

    test("too little free space is said before anything is written", async (context) => {
      const reason = mount("size=4m");
      if (reason !== null) context.skip(reason);
      const { code, stderr } = await checkout.setup([]);
      expect(code).toBe(3);
      expect(stderr).toContain("not enough disk space");
      expect(stderr).toMatch(/needed: +about 2\.0 GB/);
      expect(stderr).toMatch(/free: +4\.\d MB/);
      expect(readdirSync(checkout.home)).toEqual(["setup.log"]);
    });

    test("a disk that fills up meanwhile", async (context) => {
      const reason = mount("size=2g,nr_inodes=60"); // bytes enough, files not
      if (reason !== null) context.skip(reason);
      const { code, stderr } = await checkout.setup(["--level", "sandbox"]);
      expect(code).toBe(3);
      expect(stderr).toContain("setup.disk_full");
      expect(stderr).toContain("VARFT_HOME");
    });
  });
});

describe("a whole set-up of tiny packages", () => {
  const checkout = new Checkout();
  let index: Awaited<ReturnType<typeof serveIndex>>;
  let torchIndex: Awaited<ReturnType<typeof serveIndex>>;
  let first: Awaited<ReturnType<Checkout["setup"]>>;

  beforeAll(async () => {
    const at = (name: string): string => join(checkout.folder, name);
    await buildWheels(
      at("wheels"),
      ["snippetlib", "enginelib", "devlib"].map((name) => [name, "1.0", ""] as const),
    );
    await buildWheels(at("local"), [["torch", "9.0+zzz", torchSource("9.0+zzz")]]);
    await buildWheels(at("cpu"), [["torch", "9.0+cpu", torchSource("9.0+cpu")]]);
    index = await serveIndex(at("wheels"));
    torchIndex = await serveIndex(at("cpu"));
    checkout.environment["PIP_INDEX_URL"] = index.url;
    checkout.environment["PIP_FIND_LINKS"] = at("local");
    first = await checkout.setup([]);
  });
  afterAll(() => {
    index.close();
    torchIndex.close();
    checkout.remove();
  });

  test("installs both environments, says sizes and which torch", () => {
    expect(first.stderr).toBe("");
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/sandbox: 1 package, about 1 kB to download/);
    const wheel = join(checkout.folder, "local", "torch-9.0+zzz-py3-none-any.whl");
    expect(first.stdout).toContain(`torch 9.0+zzz, CPU build, from ${wheel}`);
    expect(checkout.current().engine?.torch).toEqual({ version: "9.0+zzz", build: "CPU", source: wheel });
    for (const [name, module] of [
      ["sandbox", "snippetlib"],
      ["engine", "enginelib, devlib, torch"],
    ] as const) {
      execFileSync(checkout.current()[name]?.python ?? "", ["-c", `import ${module}`]);
    }
  });

  test("the sandbox has the packages of its lock file and no other", () => {
    const python = checkout.current().sandbox?.python ?? "";
    const list = "import importlib.metadata as m; print(sorted(d.name for d in m.distributions()))";
    expect(execFileSync(python, ["-I", "-c", list], { encoding: "utf8" }).trim()).toBe("['snippetlib']");
  });

  test("the second run does nothing", async () => {
    const before = statSync(join(checkout.home, "current.json")).mtimeMs;
    const log = statSync(join(checkout.home, "setup.log")).mtimeMs;
    const { code, stdout } = await checkout.setup([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^already set up: Node [\d.]+, sandbox \(Python [\d.]+\), engine \(Python [\d.]+, torch 9\.0\+zzz, CPU build\)\n$/,
    );
    expect(statSync(join(checkout.home, "current.json")).mtimeMs).toBe(before);
    expect(statSync(join(checkout.home, "setup.log")).mtimeMs).toBe(log);
  });

  test("a dead --torch-index is named, and what was installed stays usable", async () => {
    const { code, stderr } = await checkout.setup(["--torch-index", "http://user:secret@127.0.0.1:9/simple"]);
    expect(code).toBe(3);
    expect(stderr).toContain("setup.no_network");
    expect(stderr).toContain("http://127.0.0.1:9/simple");
    expect(stderr).not.toContain("secret");
    expect((await checkout.setup([])).stdout).toContain("already set up");
  });

  test("an index without torch is refused although pip's configuration has one", async () => {
    const python = checkout.current().engine?.python ?? "";
    const base = await findPython(process.env);
    const pip = new Pip({
      python,
      scratch: join(checkout.folder, "scratch"),
      log: join(checkout.home, "setup.log"),
      context: base,
    });
    vi.stubEnv("PIP_FIND_LINKS", join(checkout.folder, "local"));
    vi.stubEnv("PIP_CONFIG_FILE", "/dev/null");
    const anywhere = await pip.resolve("torch", ["torch==9.0"], { dependencies: false });
    expect(anywhere.map(({ version }) => version)).toEqual(["9.0+zzz"]);
    const there = pip.resolve("torch", ["torch==9.0"], { dependencies: false, onlyIndex: index.url });
    await expect(there).rejects.toMatchObject({ code: "setup.no_such_package", exitCode: 2 });
    const message = await there.catch((error: SetupFailure) => error.render());
    expect(message).toContain("no index offers torch==9.0");
    expect(message).toContain(`torch index:  ${index.url}`);
    expect(message).toContain("404");
  });

  test("--torch-index decides where torch comes from, and is remembered", async () => {
    const { code, stdout } = await checkout.setup(["--torch-index", torchIndex.url]);
    expect(code).toBe(0);
    expect(stdout).toContain("torch 9.0+cpu, CPU build, from http://127.0.0.1:");
    expect((await checkout.setup([])).stdout).toMatch(/already set up: .*torch 9\.0\+cpu/);
    const back = await checkout.setup(["--torch-index", "default"]);
    expect(back.stdout).toMatch(/found complete in .*\n(?:.*\n)*set up in .*torch 9\.0\+zzz/);
  });

  test("a changed lock file: killed midway nothing is half-valid, two at once do not disturb each other", async () => {
    const before = checkout.current();
    checkout.write("sandbox/requirements.lock", "devlib==1.0\n");
    const sandbox = (killAt?: string): ReturnType<Checkout["setup"]> =>
      checkout.setup(["--level", "sandbox"], killAt === undefined ? {} : { killAt });
    expect((await sandbox("Environments")).code).toBe(null);
    expect(existsSync(join(checkout.home, "setup.lock"))).toBe(true);
    expect(checkout.current()).toEqual(before);
    const both = await Promise.all([sandbox(), sandbox()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.filter(({ stdout }) => stdout.includes("Packages of sandbox")).length).toBe(1);
    expect(both.filter(({ stdout }) => stdout.includes("another set-up is running")).length).toBe(1);
    expect(existsSync(join(checkout.home, "setup.lock"))).toBe(false);
    const after = checkout.current();
    expect(after.engine).toEqual(before.engine);
    expect(after.sandbox?.python).not.toBe(before.sandbox?.python);
    execFileSync(after.sandbox?.python ?? "", ["-c", "import devlib"]);
  });
});

test("the entry says which package is missing", async () => {
  const checkout = new Checkout();
  const entry = new URL("../../bin/varft.mjs", import.meta.url);
  execFileSync("cp", [entry.pathname, join(checkout.folder, "bin/varft.mjs")]);
  checkout.write("src/cli/main.ts", "");
  const program = `import(${JSON.stringify(pathToFileURL(join(checkout.folder, "bin/varft.mjs")).href)})`;
  expect(() => execFileSync(process.execPath, ["-e", program], { stdio: "pipe" })).toThrow(
    /"tsx" is not installed[^]*npm run setup/,
  );
  checkout.remove();
});
