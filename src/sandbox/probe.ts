/** Which tiers this machine offers, found by running each: a worker is started and attacked. Never by version. */
import { SandboxError } from "../core/errors.ts";
import { sweepWorkerFolders } from "./folders.ts";
import { prepareRuntime, type Runtime } from "./runtime.ts";
import { dropsUid } from "./identity.ts";
import { selfTest } from "./selftest.ts";
import { bubblewrapLaunch } from "./tiers/bubblewrap.ts";
import { namespacesLaunch } from "./tiers/namespaces.ts";
import { landlockLaunch } from "./tiers/landlock.ts";
import type { SandboxTier } from "./types.ts";
import { type Launch, Worker, WorkerDied } from "./worker.ts";

/** Strongest first. */
export const TIERS: readonly SandboxTier[] = ["bubblewrap", "namespaces", "landlock"];

export type Launches = Record<SandboxTier, (runtime: Runtime) => Launch>;

const launches: Launches = {
  bubblewrap: bubblewrapLaunch,
  namespaces: namespacesLaunch,
  landlock: landlockLaunch,
};

const HINTS: Record<SandboxTier, string> = {
  bubblewrap: "Install bubblewrap (Debian, Ubuntu: `apt-get install bubblewrap`; Fedora: `dnf install bubblewrap`).",
  namespaces:
    "Allow unprivileged user namespaces (`sysctl kernel.unprivileged_userns_clone=1`, `user.max_user_namespaces`), or start the container with them.",
  landlock: "Boot a Linux kernel >= 5.13 with Landlock among its security modules (`lsm=landlock,...`).",
};

export interface TierReport {
  tier: SandboxTier;
  available: boolean;
  /** Why not; null when available. */
  reason: string | null;
  /** What would make it available. */
  hint: string;
}

/** A tier that passed its self-test, with the worker that passed it. */
export interface OpenedTier {
  tier: SandboxTier;
  start: () => Promise<Worker>;
  first: Worker;
}

type TierAttempt = (OpenedTier & { report: TierReport }) | { report: TierReport; first: null };

/** Starts one worker of `tier` and attacks it. A failure is part of the report. */
async function tryTier(tier: SandboxTier, runtime: Runtime, how: Launches): Promise<TierAttempt> {
  const report = (reason: string | null): TierReport => ({
    tier,
    available: reason === null,
    reason,
    hint: HINTS[tier],
  });
  const start = async (): Promise<Worker> => Worker.start(how[tier](runtime));
  let first: Worker;
  try {
    first = await start();
  } catch (error) {
    return { report: report(explain(error)), first: null };
  }
  const broken = await selfTest(first).catch(explain);
  if (broken === null) return { tier, start, first, report: report(null) };
  first.kill();
  await first.exited.catch(() => {});
  return { report: report(broken), first: null };
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
  for (const tier of TIERS) {
    const attempt = await tryTier(tier, runtime, how);
    await attempt.first?.close();
    reports.push(attempt.report);
  }
  return reports;
}

/** The forced tier, or the strongest that this machine offers. Throws `sandbox.tier_unavailable` / `sandbox.unavailable`. */
export async function openTier(python: string, forced?: SandboxTier, how: Launches = launches): Promise<OpenedTier> {
  const runtime = await prepareRuntime(python, dropsUid());
  await sweepWorkerFolders(runtime);
  const reports: TierReport[] = [];
  for (const tier of forced === undefined ? TIERS : [forced]) {
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
      hint: HINTS.bubblewrap,
      details: { tiers: reports },
    },
  );
}
