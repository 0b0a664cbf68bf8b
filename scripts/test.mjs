#!/usr/bin/env node
/**
 * `npm test`: set-up, then every check of the repository, each a stage with live output; a failing stage does not stop the next.
 * The last line is `N passed, N failed`, with `, N skipped` when tests were skipped.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { closingLine, table } from "./test/report.mjs";
import { runStage, STAGES } from "./test/stages.mjs";

const names = STAGES.map(({ name }) => name);
const USAGE = `npm test -- [--only STAGE] [ARGUMENT...]

  --only     one stage (after set-up): ${names.filter((name) => name !== "setup").join(", ")}
  ARGUMENT   handed to vitest or pytest, with --only: npm test -- --only vitest src/protocol
`;

/** @returns {{only: string | undefined, extra: string[]} | null} null: nothing to run */
function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: { only: { type: "string" }, help: { type: "boolean" } },
      allowPositionals: true,
    });
    if (values.help) {
      process.stdout.write(USAGE);
      return null;
    }
    if (values.only !== undefined && !names.includes(values.only)) {
      throw new Error(`--only: expected ${names.join(", ")}, got "${values.only}"`);
    }
    if (positionals.length > 0 && values.only !== "vitest" && values.only !== "pytest") {
      throw new Error(`"${positionals[0]}": arguments need --only vitest or --only pytest`);
    }
    return { only: values.only, extra: positionals };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = 2;
    return null;
  }
}

const chosen = readArguments();
if (chosen !== null) {
  const scratch = mkdtempSync(join(tmpdir(), "varft-test-"));
  const results = [];
  for (const stage of STAGES) {
    if (chosen.only !== undefined && stage.name !== "setup" && stage.name !== chosen.only) continue;
    results.push(await runStage(stage, { scratch, extra: stage.name === chosen.only ? chosen.extra : [] }));
  }
  rmSync(scratch, { recursive: true, force: true });
  process.stdout.write(`${table(results)}\n${closingLine(results)}\n`);
  if (results.some(({ failed }) => failed > 0)) process.exitCode = 1;
}
