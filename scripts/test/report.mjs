/**
 * What `npm test` prints at its end.
 */
import { duration } from "../setup/progress.mjs";

/** @typedef {import("./stages.mjs").StageResult} StageResult */

/** The first line of a message: a table or list has one line an entry. @param {string} text */
function firstLine(text) {
  return text.split("\n", 1)[0] ?? "";
}

/** Stages with their counts, then every failed and every skipped test by name. @param {StageResult[]} results */
export function table(results) {
  const lines = [
    "",
    `${"stage".padEnd(12)} ${"passed".padStart(7)} ${"failed".padStart(7)} ${"skipped".padStart(8)}  time`,
  ];
  for (const { name, passed, failed, skipped, ms } of results) {
    const numbers = `${String(passed).padStart(7)} ${String(failed).padStart(7)} ${String(skipped.length).padStart(8)}`;
    lines.push(`${name.padEnd(12)} ${numbers}  ${duration(ms)}${failed > 0 ? "  FAILED" : ""}`);
  }
  const skipped = results.flatMap((result) => result.skipped);
  if (skipped.length > 0) lines.push("", `SKIPPED, not tested on this machine (${skipped.length}):`);
  for (const because of new Set(skipped.map(({ reason }) => firstLine(reason)))) {
    const names = skipped.filter(({ reason }) => firstLine(reason) === because).map(({ name }) => `    ${name}`);
    lines.push(`  because: ${because}`, ...names);
  }
  const failures = results.flatMap((result) => result.failures);
  if (failures.length > 0) lines.push("", `FAILED (${failures.length}):`);
  for (const failure of failures) lines.push(`  ${firstLine(failure)}`);
  return `${lines.join("\n")}\n`;
}

/** `12 passed, 0 failed, 1 skipped` @param {StageResult[]} results */
export function closingLine(results) {
  const total = (/** @type {(result: StageResult) => number} */ count) =>
    results.reduce((sum, result) => sum + count(result), 0);
  const skipped = total((result) => result.skipped.length);
  const line = `${total(({ passed }) => passed)} passed, ${total(({ failed }) => failed)} failed`;
  return skipped === 0 ? line : `${line}, ${skipped} skipped`;
}
