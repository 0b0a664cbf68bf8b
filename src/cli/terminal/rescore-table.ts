/**
 * What scoring again changed: mean score by verifier, before and after.
 */
import type { ScoreRecord } from "../../core/records.ts";
import type { Rescored } from "../../training/rescore.ts";
import { alignedColumns } from "./columns.ts";
import { oneLine } from "./printable.ts";

type Part = ScoreRecord["parts"][number];

/** Lines of the table; a dash where a verifier was not there, or applies to no rollout. */
export function rescoreTable(rescored: readonly Rescored[]): string[] {
  const names = new Set(
    rescored.flatMap(({ recorded, score }) =>
      [...(recorded?.parts ?? []), ...score.parts].map((part) => part.verifier),
    ),
  );
  const rows = [...names].map((name) => {
    const before = rescored.map(({ recorded }) => partOf(recorded, name));
    const after = rescored.map(({ score }) => partOf(score, name));
    const changed = after.filter((part, index) => part?.score !== before[index]?.score).length;
    return [oneLine(name, 40), weight(before), weight(after), mean(before), mean(after), String(changed)];
  });
  const rewards = (scores: readonly (ScoreRecord | null)[]): string =>
    meanOf(scores.flatMap((score) => score?.reward ?? []));
  const changed = rescored.filter(({ recorded, score }) => recorded?.reward !== score.reward).length;
  const total = [
    "reward",
    "",
    "",
    rewards(rescored.map(({ recorded }) => recorded)),
    rewards(rescored.map(({ score }) => score)),
    String(changed),
  ];
  const head = ["verifier", "weight", "new", "mean", "new", "changed"];
  return [...alignedColumns([head, ...rows, total]), `${changed} of ${rescored.length} rewards changed`];
}

const partOf = (score: ScoreRecord | null, name: string): Part | undefined =>
  score?.parts.find((part) => part.verifier === name);

function weight(parts: readonly (Part | undefined)[]): string {
  const found = parts.find((part) => part !== undefined);
  return found === undefined ? "-" : String(found.weight);
}

const mean = (parts: readonly (Part | undefined)[]): string => meanOf(parts.flatMap((part) => part?.score ?? []));

function meanOf(values: readonly number[]): string {
  return values.length === 0 ? "-" : (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(4);
}
