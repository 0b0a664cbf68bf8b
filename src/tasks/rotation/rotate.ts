/**
 * Rotation as damage, and the code that undoes it.
 */
import type { Pixels } from "../../core/images.ts";

export const ROTATION_KINDS = ["none", "rotation90", "rotation180"] as const;
export type RotationKind = (typeof ROTATION_KINDS)[number];

/** Rotates clockwise by 90 or 180 degrees, or not at all. */
export function rotate({ width, height, rgb }: Pixels, kind: RotationKind): Pixels {
  if (kind === "none") return { width, height, rgb };
  const turned = kind === "rotation90";
  const out = { width: turned ? height : width, height: turned ? width : height, rgb: new Uint8Array(rgb.length) };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [toX, toY] = turned ? [height - 1 - y, x] : [width - 1 - x, height - 1 - y];
      const from = (y * width + x) * 3;
      out.rgb.set(rgb.subarray(from, from + 3), (toY * out.width + toX) * 3);
    }
  }
  return out;
}

/** OpenCV code that rotates by `turn`; `rotation90` damage is undone by COUNTERCLOCKWISE. */
export function rotationCode(turn: "ROTATE_90_CLOCKWISE" | "ROTATE_90_COUNTERCLOCKWISE" | "ROTATE_180"): string {
  return [
    "import cv2",
    "image = cv2.imread('path_to_input_image.jpg')",
    `image = cv2.rotate(image, cv2.${turn})`,
    "cv2.imwrite('path_to_output_image.jpg', image)",
  ].join("\n");
}
