/**
 * `varft sandbox check`: every tier, whether it works here, why not, and how to get a better one. Exit code 5 when none works.
 */
import { Command } from "commander";
import { SandboxError } from "../../../core/errors.ts";
import { CONSENT_VARIABLE } from "../../../sandbox/consent.ts";
import { openSandbox, probeTiers, type TierReport } from "../../../sandbox/index.ts";
import { printable } from "../../terminal/printable.ts";
import { style } from "../../terminal/style.ts";

const JSON_FORM = `
--json prints one object:
  schema    1
  chosen    name of the tier that would be used; null when none works
  pool      {workers, startMs, memoryMb} of a pool opened at that tier, one worker per core; null without a tier
  tiers     strongest first: [{tier, available, reason, hint, attacksHeld, note, startMs, workerMb}]
            attacksHeld: every attack of the self-test failed (null: no worker came up to be attacked)
            note: what this tier holds on some machines only, as it is on this one`;

interface Pool {
  workers: number;
  startMs: number;
  memoryMb: number | null;
}

export function checkCommand(): Command {
  return new Command("check")
    .description("Try every tier on this machine: which works, why not, how to get a better one.")
    .option("--json", "print JSON", false)
    .addHelpText("after", JSON_FORM)
    .action(({ json }: { json: boolean }) => check(json));
}

async function check(json: boolean): Promise<void> {
  const tiers = await probeTiers();
  const chosen = tiers.find(({ available }) => available) ?? null;
  const pool = chosen === null ? null : await openedPool(chosen);
  if (json)
    process.stdout.write(`${JSON.stringify({ schema: 1, chosen: chosen?.tier ?? null, pool, tiers }, null, 2)}\n`);
  else
    for (const line of [...tiers.flatMap(tierLines), ...summary(tiers, chosen, pool)])
      process.stdout.write(`${line}\n`);
  if (chosen === null) {
    throw new SandboxError(
      "sandbox.unavailable",
      "no sandbox tier can run here, and model-written code is never run without one",
      {
        hint: tiers[0]?.hint ?? "",
      },
    );
  }
}

/** Start-up time and memory of a pool as a run would open it. */
async function openedPool({ tier }: TierReport): Promise<Pool> {
  const began = performance.now();
  const pool = await openSandbox({ tier });
  try {
    await pool.warm();
    return { workers: pool.pids.length, startMs: performance.now() - began, memoryMb: pool.memoryMb };
  } finally {
    await pool.close();
  }
}

function tierLines({ tier, available, reason, attacksHeld, note, startMs, workerMb }: TierReport): string[] {
  const name = tier.padEnd(23);
  if (available) {
    const memory = workerMb === null ? "" : `, ${workerMb.toFixed(0)} MB a worker`;
    return [
      `${style("green", "works")}  ${name} attacks of the self-test held; warm in ${startMs?.toFixed(0)} ms${memory}`,
      ...(note === null ? [] : [`${"".padEnd(31)}${printable(note)}`]),
    ];
  }
  const mark = attacksHeld === false ? style("red", "BROKEN") : style("dim", "no    ");
  return [
    `${mark} ${name} ${printable(reason ?? "")
      .split("\n")
      .join("\n".padEnd(31))}`,
  ];
}

function summary(tiers: readonly TierReport[], chosen: TierReport | null, pool: Pool | null): string[] {
  const better = tiers.slice(0, chosen === null ? tiers.length : tiers.indexOf(chosen));
  const hints = better.filter(({ tier }) => tier !== "seatbelt").map(({ tier, hint }) => `  ${tier}: ${hint}`);
  const memory = pool === null || pool.memoryMb === null ? "" : `, ${pool.memoryMb.toFixed(0)} MB in all`;
  return [
    "",
    ...(chosen === null
      ? []
      : [
          `${style("cyan", "chosen")} ${chosen.tier}; pool of ${pool?.workers}: warm in ${pool?.startMs.toFixed(0)} ms${memory}`,
        ]),
    ...(hints.length === 0 ? [] : [chosen === null ? "to get one" : "to get a better one", ...hints]),
    style(
      "dim",
      `unsandboxed is never chosen; it needs its name and ${CONSENT_VARIABLE}, whose value says what it means`,
    ),
  ];
}
