/** `varft sandbox`: its commands as a person types them. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { lstat, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { has } from "../support/requires.ts";
import { startVarft, varft } from "../support/varft.ts";

const ROTATE = `
import cv2
print("turned \\x1b[31m")
cv2.imwrite("path_to_output_image.jpg", cv2.rotate(cv2.imread("path_to_input_image.jpg"), 0))
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-sandbox-command-"));
  await sharp({ create: { width: 30, height: 20, channels: 3, background: "#336699" } }).toFile(join(folder, "in.png"));
  await writeFile(join(folder, "rotate.py"), ROTATE);
  await writeFile(join(folder, "broken.py"), "print(undefined_name)");
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...args: string[]): ReturnType<typeof varft> =>
  varft(["sandbox", "run", ...args, "--image", "in.png"], { cwd: folder });

describe.skipIf(!has("sandbox"))("varft sandbox", () => {
  it("check names every tier, the chosen one, and what its pool costs", async () => {
    const { code, stdout } = await varft(["sandbox", "check", "--json"], { cwd: folder });
    expect(code).toBe(0);
    const { chosen, pool, tiers } = JSON.parse(stdout) as {
      chosen: string;
      pool: { workers: number };
      tiers: { tier: string; available: boolean; reason: string | null; hint: string }[];
    };
    expect(tiers.map(({ tier }) => tier)).toEqual([
      "bubblewrap",
      "namespaces",
      "bubblewrap-per-snippet",
      "landlock",
      "seatbelt",
    ]);
    expect(chosen).toBe(tiers.find(({ available }) => available)?.tier);
    expect(pool.workers).toBeGreaterThanOrEqual(1);
    for (const { available, reason, hint } of tiers) expect([reason === null, hint !== ""]).toEqual([available, true]);
  });

  it("run writes the processed image and neutralises what the snippet prints", async () => {
    const { code, stdout } = await run("rotate.py", "--out", "out.png");
    expect(code).toBe(0);
    expect(stdout).toContain("turned \ufffd[31m");
    expect(await sharp(await readFile(join(folder, "out.png"))).metadata()).toMatchObject({ width: 20, height: 30 });
    await writeFile(join(folder, "out.png"), "an older one");
    expect(await run("rotate.py", "--out", "out.png")).toMatchObject({ code: 0 });
    expect(await sharp(await readFile(join(folder, "out.png"))).metadata()).toMatchObject({ width: 20, height: 30 });
  });

  it("run --json tells everything of a failed snippet, and exits with 1", async () => {
    const { code, stdout } = await run("broken.py", "--json", "--out", "none.png");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      status: "failed",
      snippet: "exception",
      exception: "NameError: name 'undefined_name' is not defined",
      input: { width: 30, height: 20 },
      output: { kind: "none" },
    });
    expect(existsSync(join(folder, "none.png"))).toBe(false);
  });

  it("run takes a snippet as editors and models write it, and no bytes that are no text", async () => {
    await writeFile(join(folder, "marked.py"), "\ufeffprint('mark')\r\nif True:\r\n    print('lines')\r\n");
    expect((await run("marked.py", "--json")).stdout).toContain('"stdout": "mark\\nlines\\n"');
    await writeFile(join(folder, "latin.py"), Buffer.from("print('\u00e9')", "latin1"));
    const { code, stderr } = await run("latin.py");
    expect([code, stderr.includes("data.not_text"), stderr.includes("next ")]).toEqual([3, true, true]);
  });

  it("run writes through a link, and never over what is no file", async () => {
    await writeFile(join(folder, "target.png"), "old");
    await symlink("target.png", join(folder, "link.png"));
    expect((await run("rotate.py", "--out", "link.png")).code).toBe(0);
    expect(await sharp(join(folder, "target.png")).metadata()).toMatchObject({ width: 20, height: 30 });
    // Not a device: replaced by an image, the test machine's would be gone.
    await promisify(execFile)("mkfifo", [join(folder, "pipe")]);
    await symlink("pipe", join(folder, "pipe-link"));
    for (const out of ["pipe", "pipe-link", "."]) {
      const { code, stdout, stderr } = await run("rotate.py", "--out", out);
      expect({ code, stdout, hinted: stderr.includes("next Give --out") }).toEqual({
        code: 3,
        stdout: "",
        hinted: true,
      });
    }
    expect((await lstat(join(folder, "pipe"))).isFIFO()).toBe(true);
  });

  it("nothing runs unsandboxed by its name alone", async () => {
    const { code, stdout, stderr } = await run("rotate.py", "--tier", "unsandboxed");
    expect({ code, stdout }).toEqual({ code: 5, stdout: "" });
    expect(stderr).toContain("sandbox.no_consent");
    expect(stderr).toContain("VARFT_UNSANDBOXED=model-code-may-do-all-that-i-can");
  });

  it("serve takes snippets from another process that has the token, and refuses one that has not", async () => {
    const env = { VARFT_SANDBOX_TOKEN: "" };
    const served = startVarft(["sandbox", "serve", "--port", "0", "--workers", "1"], { cwd: folder, env });
    let said = "";
    served.child.stdout?.on("data", (text: string) => (said += text));
    await served.says("VARFT_SANDBOX_TOKEN=");
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? "";
    const token = /VARFT_SANDBOX_TOKEN=(\S+)/.exec(said)?.[1] ?? "";
    const from = (secret: string): ReturnType<typeof varft> =>
      varft(["sandbox", "run", "rotate.py", "--image", "in.png", "--json", "--url", url], {
        cwd: folder,
        env: { VARFT_SANDBOX_TOKEN: secret },
      });
    const { code, stdout } = await from(token);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: "ok", output: { kind: "image", width: 20, height: 30 } });
    const refused = await from("another token altogether");
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain("refused the token");
    served.child.kill("SIGTERM");
    await served.finished;
    expect((await from(token)).stderr).toContain("sandbox.unreachable");
  });

  it("serve does not open a door to other machines without a token", async () => {
    const options = { cwd: folder, env: { VARFT_SANDBOX_TOKEN: "" } };
    const { code, stderr } = await varft(["sandbox", "serve", "--host", "0.0.0.0"], options);
    expect(code).toBe(2);
    expect(stderr).toContain("config.no_token");
  });
});
