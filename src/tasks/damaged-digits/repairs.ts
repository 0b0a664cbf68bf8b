/**
 * What a model might write to repair each problem: real OpenCV, one line for each problem between reading and writing the image.
 */
import { DAMAGE_ORDER, QUADRANTS, type Damage, type DamageProblem, type Quadrant } from "../degradations/index.ts";
import { SIDE } from "./draw.ts";

/** One candidate of the decision that a problem's repair takes. */
export interface Repair {
  problem: DamageProblem;
  /** For tables, for example `gain 6`. */
  label: string;
  /** Python that replaces `image`. */
  line: string;
}

/** What is decided when a problem is repaired; null where there is one way only. */
export const REPAIR_DECISIONS: Readonly<Record<DamageProblem, string | null>> = {
  rotation90: "direction",
  rotation180: null,
  dark: "gain",
  overexposure: "gain",
  blur: "amount",
  noise: "kernel",
  crop: "quadrant",
};

/** Candidates by problem. Not all are right: which is, a model finds out by reward. */
export const REPAIRS: Readonly<Record<DamageProblem, readonly [Repair, ...Repair[]]>> = {
  rotation90: [
    turn("rotation90", "clockwise", "ROTATE_90_CLOCKWISE"),
    turn("rotation90", "counterclockwise", "ROTATE_90_COUNTERCLOCKWISE"),
  ],
  rotation180: [turn("rotation180", "half turn", "ROTATE_180")],
  dark: [brighten(2), brighten(3), brighten(6), brighten(9)],
  overexposure: [deepen(2), deepen(3), deepen(6), deepen(9)],
  blur: [unsharp(2), unsharp(4), unsharp(7)],
  noise: [median(3), median(5), median(7)],
  crop: [enlarge(QUADRANTS[0]), enlarge(QUADRANTS[1]), enlarge(QUADRANTS[2]), enlarge(QUADRANTS[3])],
};

/** Labels of the candidates that restore what this damage did; the others leave it unread, or make it worse. */
export function rightRepairs(damage: Damage): readonly string[] {
  switch (damage.problem) {
    case "rotation90":
      return [damage.turn === "clockwise" ? "counterclockwise" : "clockwise"];
    case "rotation180":
      return ["half turn"];
    case "dark":
    case "overexposure":
      return ["gain 6", "gain 9"];
    case "blur":
      return ["amount 2", "amount 4"];
    case "noise":
      return ["kernel 3", "kernel 5"];
    case "crop":
      return "quadrant" in damage ? [damage.quadrant] : [];
  }
}

/** The whole snippet. Several repairs undo their damage from the last to the first (`DAMAGE_ORDER` backwards). */
export function repairCode(repairs: readonly Repair[]): string {
  const lines = DAMAGE_ORDER.toReversed().flatMap((problem) => repairs.filter((repair) => repair.problem === problem));
  return [
    "import cv2",
    "image = cv2.imread('path_to_input_image.jpg')",
    ...lines.map(({ line }) => line),
    "cv2.imwrite('path_to_output_image.jpg', image)",
  ].join("\n");
}

function turn(problem: "rotation90" | "rotation180", label: string, code: string): Repair {
  return { problem, label, line: `image = cv2.rotate(image, cv2.${code})` };
}

function brighten(gain: number): Repair {
  return { problem: "dark", label: `gain ${gain}`, line: `image = cv2.convertScaleAbs(image, alpha=${gain})` };
}

function deepen(gain: number): Repair {
  return {
    problem: "overexposure",
    label: `gain ${gain}`,
    line: `image = 255 - cv2.convertScaleAbs(255 - image, alpha=${gain})`,
  };
}

function unsharp(amount: number): Repair {
  return {
    problem: "blur",
    label: `amount ${amount}`,
    line: `image = cv2.addWeighted(image, ${amount + 1}, cv2.GaussianBlur(image, (0, 0), 2), -${amount}, 0)`,
  };
}

function median(kernel: number): Repair {
  return { problem: "noise", label: `kernel ${kernel}`, line: `image = cv2.medianBlur(image, ${kernel})` };
}

function enlarge(quadrant: Quadrant): Repair {
  const [vertical, horizontal] = quadrant.split(" ");
  const half = SIDE / 2;
  const rows = vertical === "top" ? `:${half}` : `${half}:`;
  const columns = horizontal === "left" ? `:${half}` : `${half}:`;
  return {
    problem: "crop",
    label: quadrant,
    line: `image = cv2.resize(image[${rows}, ${columns}], (${SIDE}, ${SIDE}))`,
  };
}
