/**
 * Generated rotation tasks: a digit on an underline (which tells 6 from 9), upright or rotated by 90 degrees clockwise or by 180.
 * A function of (seed, split, index) alone; splits draw from different streams.
 */
import { canonicalFromPixels, type Pixels } from "../../core/images.ts";
import { SeededStream } from "../../core/seeds.ts";
import type { LoadedTask, TaskSet } from "../../core/task.ts";
import { applyDamage, type Damage } from "../degradations/index.ts";
import { GLYPH_HEIGHT, GLYPH_WIDTH, hasInk } from "./glyphs.ts";
import { ROTATION_KINDS, type RotationKind } from "./rotate.ts";

export const ROTATION_QUESTION = "Which digit?";

/** Side of the square image, pixels. */
const SIDE = 64;

const DAMAGE: Record<RotationKind, Damage[]> = {
  none: [],
  rotation90: [{ problem: "rotation90", turn: "clockwise" }],
  rotation180: [{ problem: "rotation180" }],
};

export interface RotationTaskSet extends TaskSet {
  kindOf(index: number): RotationKind;
}

export function rotationTasks(options: { seed: number; split: string; size: number }): RotationTaskSet {
  const { seed, split, size } = options;
  const kindOf = (index: number): RotationKind => ROTATION_KINDS[index % ROTATION_KINDS.length] ?? "none";
  return {
    name: `rotation/${split}`,
    size,
    kindOf,
    async load(index): Promise<LoadedTask> {
      const stream = new SeededStream("rotation", seed, split, index);
      const digit = stream.integer(0, 9);
      const kind = kindOf(index);
      const clean = draw(digit, stream);
      const image = await canonicalFromPixels(applyDamage(clean, DAMAGE[kind]));
      const cleanImage = await canonicalFromPixels(clean);
      return {
        task: {
          id: `rotation/${split}/${index}`,
          public: { question: ROTATION_QUESTION, images: [image.sha256] },
          private: { answers: [String(digit)], kind, cleanImage: cleanImage.sha256 },
        },
        images: kind === "none" ? [image] : [image, cleanImage],
      };
    },
  };
}

function draw(digit: number, stream: SeededStream): Pixels {
  const background = [stream.integer(170, 255), stream.integer(170, 255), stream.integer(170, 255)];
  const ink = [stream.integer(0, 90), stream.integer(0, 90), stream.integer(0, 90)];
  const scale = stream.integer(4, 6);
  const width = GLYPH_WIDTH * scale;
  const height = (GLYPH_HEIGHT + 2) * scale;
  const left = stream.integer(4, SIDE - 4 - width);
  const top = stream.integer(2, SIDE - 2 - height);
  const rgb = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const column = Math.floor((x - left) / scale);
      const row = Math.floor((y - top) / scale);
      const underline = row === GLYPH_HEIGHT + 1 && column >= 0 && column < GLYPH_WIDTH;
      rgb.set(underline || hasInk(digit, column, row) ? ink : background, (y * SIDE + x) * 3);
    }
  }
  return { width: SIDE, height: SIDE, rgb };
}
