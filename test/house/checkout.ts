/**
 * A small checkout to drive the real set-up in: this repository's scripts, lock files of tiny packages, and an index that serves them.
 */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPython } from "../../scripts/setup/python.mjs";

const repository = fileURLToPath(new URL("../../", import.meta.url));

/** Builds wheels: argv is a folder, then name, version and Python source of each. */
const BUILD_WHEELS = `
import sys, zipfile
folder, rest = sys.argv[1], sys.argv[2:]
for name, version, source in zip(rest[::3], rest[1::3], rest[2::3]):
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(f"{folder}/{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", source)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
`;

/** What set-up reads of torch. @param version for example "9.0+cpu" */
export function torchSource(version: string): string {
  return `class version:\n    cuda = None\n    hip = None\n__version__ = "${version}"\n`;
}

/** Writes wheels into `folder`; `packages` are name, version and source of a module. */
export async function buildWheels(
  folder: string,
  packages: readonly (readonly [string, string, string])[],
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { executable } = await findPython(process.env);
  execFileSync(executable, ["-c", BUILD_WHEELS, folder, ...packages.flat()]);
}

/** A package index on loopback that serves the wheels of `folder`. */
export async function serveIndex(folder: string): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const [, kind, name = ""] = (request.url ?? "").split("/");
    const files = readdirSync(folder);
    if (kind === "simple") {
      const links = files
        .filter((file) => file.startsWith(`${name}-`))
        .map((file) => `<a href="/files/${file}">${file}</a>`);
      response.writeHead(links.length > 0 ? 200 : 404, { "content-type": "text/html" }).end(links.join("\n"));
      return;
    }
    const bytes = readFileSync(join(folder, decodeURIComponent(name)));
    response.writeHead(200, { "content-length": bytes.length });
    response.end(request.method === "HEAD" ? undefined : bytes);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/simple`, close: () => server.close() };
}

export interface SetupRun {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** One checkout; `home` is its VARFT_HOME. */
export class Checkout {
  readonly folder = mkdtempSync(join(tmpdir(), "varft-setup-"));
  readonly home = join(this.folder, ".varft");
  /** Added to every run of set-up. */
  readonly environment: Record<string, string> = {};

  constructor() {
    cpSync(join(repository, "scripts"), join(this.folder, "scripts"), { recursive: true });
    this.write("bin/varft.mjs", "");
    this.write("package.json", `{"name": "small", "version": "1.0.0"}`);
    this.write(
      "package-lock.json",
      `{"name": "small", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {}}}`,
    );
    this.write("node_modules/.package-lock.json", `{"packages": {}}`);
    this.write("sandbox/requirements.lock", "snippetlib==1.0\n");
    this.write("engine/requirements.lock", "enginelib==1.0\n");
    this.write("engine/torch.lock", "# build\ntorch==9.0\n");
    this.write("engine/requirements-dev.lock", "devlib==1.0\n");
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  current(): { engine?: { python: string; torch: unknown }; sandbox?: { python: string } } {
    return JSON.parse(readFileSync(join(this.home, "current.json"), "utf8"));
  }

  /** Starts set-up; `killAt` ends it with SIGKILL as soon as it prints that text. */
  setup(
    args: string[],
    options: { env?: Record<string, string>; nodeArgs?: string[]; killAt?: string } = {},
  ): Promise<SetupRun> {
    const own = Object.entries(process.env).filter(([name]) => !/^(?:VARFT_|PIP_|npm_)/i.test(name));
    const env = {
      ...Object.fromEntries(own),
      // No pip configuration of the machine, and no waiting for an index that is not there.
      PIP_CONFIG_FILE: "/dev/null",
      PIP_RETRIES: "0",
      PIP_NO_CACHE_DIR: "1",
      npm_config_fetch_retries: "0",
      npm_config_cache: join(this.folder, "npm-cache"),
      VARFT_HOME: this.home,
      ...this.environment,
      ...options.env,
    };
    const program = join(this.folder, "scripts", "setup.mjs");
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [...(options.nodeArgs ?? []), program, ...args], { env, detached: true });
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
        // The whole group, as when a terminal or a container goes away.
        if (options.killAt !== undefined && stdout.includes(options.killAt)) process.kill(-(child.pid ?? 0), "SIGKILL");
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      child.on("close", (code) => resolve({ code, stdout, stderr }));
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
