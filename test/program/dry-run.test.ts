/**
 * `varft train --dry-run`: what it says, and with which exit code, on data in MAT's format.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageFolder } from "../../src/core/installation.ts";
import { writeDigitSteps } from "../support/step-data.ts";
import { varft } from "../support/varft.ts";

const RECIPE = `
name: steps
model: { path: model }
tasks: { set: mat-steps, file: rft_agent_code.json, images: images }
environment: { mode: step }
sampling: { maxTokens: 96 }
training: { steps: 1, tasksPerStep: 12, groupSize: 3 }
rewards: { format: 1, accuracy: 1 }
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-dry-"));
  await writeDigitSteps(folder, 4);
  await writeFile(join(folder, "recipe.yaml"), RECIPE);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("varft train --dry-run", () => {
  it("counts, predicts and names the next command, without a worker, a sandbox or the checkpoint", async () => {
    const sets = [
      "model.path=Qwen2.5-VL-3B-Instruct",
      "engine.dtype=bfloat16",
      "training.objective={kl: {beta: 0.04}}",
    ];
    const args = ["train", "recipe.yaml", "--dry-run", ...sets.flatMap((set) => ["--set", set])];
    const env = { VARFT_ENGINE_PYTHON: "none", VARFT_SANDBOX_PYTHON: "none" };
    const { code, stdout, stderr } = await varft(args, { cwd: folder, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("12 of mat-steps/train: problem 4, code 4, answer 4");
    expect(stdout).toContain("1 x 12 tasks x 3 rollouts");
    expect(stdout).toContain(`samples at most ${(12 * 3 * 96).toLocaleString("en-US")} in 36 completions`);
    // 2 P, 2 P, 4 P and 8 P of 3,754,622,976 weights.
    for (const part of [/weights +7\.0 GiB/, /reference weights +7\.0/, /master weights +14\.0/, /moments +28\.0/]) {
      expect(stdout).toMatch(part);
    }
    expect(stdout).toMatch(
      /next put the checkpoint at .*Qwen2\.5-VL-3B-Instruct, then varft train recipe\.yaml --set /,
    );
  });

  it("takes a recipe of the paper, and refuses a model that is neither there nor known, and a missing file", async () => {
    const known = join(packageFolder, "recipes/paper/search-3b-full.yaml");
    const data = [
      "--set",
      `tasks.file=${join(folder, "rft_agent_code.json")}`,
      "--set",
      `tasks.images=${folder}/images`,
    ];
    const args = ["train", known, "--dry-run", ...data, "--set", "training.tasksPerStep=12"];
    args.push("--set", "tasks.squash=null");
    expect((await varft(args, { cwd: folder })).code).toBe(0);
    const unknown = await varft([...args, "--set", "model.path=nowhere"], { cwd: folder });
    expect({ code: unknown.code, said: unknown.stderr }).toMatchObject({
      code: 2,
      said: expect.stringContaining("config.unknown_model") as string,
    });
    const missing = await varft([...args, "--set", "tasks.file=none.json"], { cwd: folder });
    expect({ code: missing.code, said: missing.stderr }).toMatchObject({
      code: 3,
      said: expect.stringContaining("none.json") as string,
    });
  });
});
