/** The tiers: how a worker of each is started. Nothing here chooses; `probe.ts` does, by running them. */
import type { Runtime } from "../runtime.ts";
import type { SandboxTier } from "../types.ts";
import type { Launch } from "../worker.ts";
import { bubblewrapPerSnippetLaunch } from "./bubblewrap-per-snippet.ts";
import { bubblewrapLaunch } from "./bubblewrap.ts";
import { landlockLaunch } from "./landlock.ts";
import { namespacesLaunch } from "./namespaces.ts";
import { seatbeltLaunch } from "./seatbelt.ts";
import { unsandboxedLaunch } from "./unsandboxed.ts";

export type Launches = Record<SandboxTier, (runtime: Runtime) => Launch | Promise<Launch>>;

export const launches: Launches = {
  bubblewrap: bubblewrapLaunch,
  namespaces: namespacesLaunch,
  "bubblewrap-per-snippet": bubblewrapPerSnippetLaunch,
  landlock: landlockLaunch,
  seatbelt: seatbeltLaunch,
  unsandboxed: unsandboxedLaunch,
};
