/** Which tiers this machine offers, found by running each: a worker is started and attacked. Never by version. */
import { SandboxError } from "../core/errors.ts";
import { requireConsent } from "./consent.ts";
import { sweepWorkerFolders } from "./folders.ts";
import { dropsUid } from "./identity.ts";
import { memoryMb } from "./memory.ts";
import { prepareRuntime, type Runtime } from "./runtime.ts";
import { rootFolder } from "./root-folder.ts";
import { seesHostPaths, selfTest } from "./selftest.ts";
import { HINTS } from "./tiers/hints.ts";
import { launches, type Launches } from "./tiers/index.ts";
import { CONFINED_TIERS, type ConfinedTier, type SandboxTier } from "./types.ts";
import { Worker, WorkerDied } from "./worker.ts";

export interface TierReport {
  tier: SandboxTier;
  available: boolean;
  /** Why not; null when available. */
  reason: string | null;
  /** What would make it available. */
  hint: string;
  /** Whether every attack of the self-test failed; null when no worker came up to be attacked. */
  attacksHeld: boolean | null;
  /** What this tier holds on some machines only, as it is on this one; null where there is no such thing to say. */
  note: string | null;
  /** From nothing to a warm worker; null without one. */
  startMs: number | null;
  /** Of one warm worker, all its processes; null without one. */
  workerMb: number | null;
}

/** A tier that passed its self-test, with the worker that passed it. */
export interface OpenedTier {
  tier: SandboxTier;
  /** Starts one more worker; an aborted signal ends the attempt. */
  start: (signal?: AbortSignal) => Promise<Worker>;
  first: Worker;
}

type TierAttempt = (OpenedTier & { report: TierReport }) | { report: TierReport; first: null };

/** Starts one worker of `tier` and attacks it. A failure is part of the report. */
async function tryTier(tier: ConfinedTier, runtime: Runtime, how: Launches): Promise<TierAttempt> {
  const none = {
    tier,
    available: false,
    hint: HINTS[tier],
    attacksHeld: null,
    note: null,
    startMs: null,
    workerMb: null,
  };
  const elsewhere = otherPlatform(tier);
  if (elsewhere !== null) return { report: { ...none, reason: elsewhere }, first: null };
  const start = async (signal?: AbortSignal): Promise<Worker> => Worker.start(await how[tier](runtime), signal);
  const began = performance.now();
  let first: Worker;
  try {
    first = await start();
  } catch (error) {
    return { report: { ...none, reason: explain(error) }, first: null };
  }
  const startMs = performance.now() - began;
  const workerMb = memoryMb(first.pid === undefined ? [] : [first.pid]);
  const broken = await selfTest(first, tier).catch(explain);
  const note = broken === null && tier === "landlock" ? await aboutHostPaths(first, runtime) : null;
  const report = {
    ...none,
    available: broken === null,
    reason: broken,
    attacksHeld: broken === null,
    note,
    startMs,
    workerMb,
  };
  if (broken === null) return { tier, start, first, report };
  first.kill();
  await first.exited.catch(() => {});
  return { report, first: null };
}

/** Asked of the worker itself, not told by how it was started. */
async function aboutHostPaths(worker: Worker, runtime: Runtime): Promise<string> {
  if (!(await seesHostPaths(worker).catch(() => true)))
    return "the host's paths are hidden: workers have their own root folder";
  const answer = await rootFolder(runtime);
  const why = "reason" in answer ? `: ${answer.reason}` : "";
  return `a snippet can learn that a path of the host exists, and its size and times, not what it holds${why}`;
}

function otherPlatform(tier: ConfinedTier): string | null {
  const needed = tier === "seatbelt" ? "darwin" : "linux";
  if (process.platform === needed) return null;
  const untested = tier === "seatbelt" ? " (written for it, and not yet tested on one)" : "";
  return `needs ${needed === "linux" ? "Linux" : "macOS"}${untested}; this is ${process.platform}`;
}

function explain(error: unknown): string {
  if (!(error instanceof WorkerDied)) return error instanceof Error ? error.message : String(error);
  const lastLine = error.log.split("\n").at(-1) ?? "";
  return lastLine === "" ? error.message : `${error.message}: ${lastLine}`;
}

/** Tries every tier, strongest first, and reports on each. */
export async function probeTiers(python: string, how: Launches = launches): Promise<TierReport[]> {
  const runtime = await prepareRuntime(python, dropsUid());
  const reports: TierReport[] = [];
  for (const tier of CONFINED_TIERS) {
    const attempt = await tryTier(tier, runtime, how);
    await attempt.first?.close();
    reports.push(attempt.report);
  }
  return reports;
}

/**
 * The forced tier, or the strongest that this machine offers; `unsandboxed` only when forced and with consent.
 * Throws `sandbox.tier_unavailable`, `sandbox.unavailable`, `sandbox.no_consent`.
 */
export async function openTier(python: string, forced?: SandboxTier, how: Launches = launches): Promise<OpenedTier> {
  if (forced === "unsandboxed") requireConsent();
  const runtime = await prepareRuntime(python, dropsUid());
  await sweepWorkerFolders(runtime);
  if (forced === "unsandboxed") {
    const start = async (signal?: AbortSignal): Promise<Worker> => Worker.start(await how.unsandboxed(runtime), signal);
    return { tier: forced, start, first: await start() };
  }
  const reports: TierReport[] = [];
  for (const tier of forced === undefined ? CONFINED_TIERS : [forced]) {
    const attempt = await tryTier(tier, runtime, how);
    if (attempt.first !== null) return attempt;
    reports.push(attempt.report);
  }
  const listed = reports.map(({ tier, reason }) => `  ${tier}: ${reason}`).join("\n");
  if (forced !== undefined) {
    throw new SandboxError("sandbox.tier_unavailable", `the sandbox tier ${forced} cannot run here:\n${listed}`, {
      hint: HINTS[forced],
      details: { tiers: reports },
    });
  }
  throw new SandboxError(
    "sandbox.unavailable",
    `no sandbox tier can run here, and model-written code is never run without one:\n${listed}`,
    {
      hint: `${HINTS.bubblewrap} Or use another host's sandbox: \`varft sandbox serve\` there, sandbox.url here.`,
      details: { tiers: reports },
    },
  );
}
