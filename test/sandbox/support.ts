/** What the sandbox suites share: which tiers this machine can run, images, processes. */
import { readdirSync, readFileSync } from "node:fs";
import sharp from "sharp";
import { probeTiers } from "../../src/sandbox/index.ts";
import type { SnippetOutcome } from "../../src/sandbox/types.ts";

export const tiers = await probeTiers();

for (const { tier, available, reason, hint } of tiers) {
  if (!available) console.warn(`SKIPPED: the sandbox tier ${tier} is not tested here: ${reason}. ${hint}`);
}

export const WIDTH = 48;
export const HEIGHT = 32;

/** RGB8 pixels [height * width * 3] without any symmetry, smooth enough for JPEG. */
export function pattern(width = WIDTH, height = HEIGHT): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rgb.set([Math.floor((x * 255) / width), Math.floor((y * 255) / height), (x + 2 * y) % 256], (y * width + x) * 3);
    }
  }
  return rgb;
}

export const inputPng = await sharp(pattern(), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
  .png()
  .toBuffer();

/** `rgb` turned by 90 degrees clockwise: out[x][height - 1 - y] = in[y][x]. */
export function rotated(rgb: Uint8Array, width = WIDTH, height = HEIGHT): Uint8Array {
  const out = new Uint8Array(rgb.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      out.set(rgb.subarray(from, from + 3), (x * height + (height - 1 - y)) * 3);
    }
  }
  return out;
}

export function imageOf(outcome: SnippetOutcome): { width: number; height: number; rgb: Uint8Array } {
  if (outcome.output.kind !== "image") {
    throw new Error(`expected an output image, got ${JSON.stringify(outcome.output)}; stderr: ${outcome.stderr}`);
  }
  return outcome.output;
}

/** Process ids of everything that descends from `root`, itself left out. */
export function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = parentOf(Number(entry));
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const found: number[] = [];
  const pending = [root];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    const next = children.get(pid) ?? [];
    found.push(...next);
    pending.push(...next);
  }
  return found;
}

/** Parent of a live process; null for one that is gone or a zombie. */
export function parentOf(pid: number): number | null {
  try {
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return state === "Z" || state === "X" ? null : Number(parent);
  } catch {
    return null;
  }
}

/** Waits until none of `pids` lives; those that still do after `withinMs`. */
export async function survivors(pids: number[], withinMs = 5000): Promise<number[]> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const alive = pids.filter((pid) => parentOf(pid) !== null);
    if (alive.length === 0 || Date.now() > deadline) return alive;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
