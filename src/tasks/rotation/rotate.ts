/**
 * The kinds of rotation tasks, and the code that undoes the damage.
 */
export const ROTATION_KINDS = ["none", "rotation90", "rotation180"] as const;
export type RotationKind = (typeof ROTATION_KINDS)[number];

/** OpenCV code that rotates by `turn`; `rotation90` damage is undone by COUNTERCLOCKWISE. */
export function rotationCode(turn: "ROTATE_90_CLOCKWISE" | "ROTATE_90_COUNTERCLOCKWISE" | "ROTATE_180"): string {
  return [
    "import cv2",
    "image = cv2.imread('path_to_input_image.jpg')",
    `image = cv2.rotate(image, cv2.${turn})`,
    "cv2.imwrite('path_to_output_image.jpg', image)",
  ].join("\n");
}
